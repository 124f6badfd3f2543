"""From manifests and ranks to records, and from records to boards. Imports no torch."""
