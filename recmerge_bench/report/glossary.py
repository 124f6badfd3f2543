"""The words of the boards, each in a sentence or two: for the site's glossary and its tooltips."""

from __future__ import annotations

#: Word -> what it means on a board; in the order in which somebody new needs them.
GLOSSARY: dict[str, str] = {
    "domain": "A part of a shop or catalogue with its own items, such as beauty or toys; users may "
    "act in several.",
    "base": "The model that all experts start from.",
    "expert": "The base, trained further on one domain.",
    "task vector": "An expert's weights minus the base's: what training on its domain changed.",
    "merge": "One model made from the weights of several, without training all of it again.",
    "CDSR": "Cross-domain sequential recommendation: one model reads sequences in which a user "
    "acts in several domains, and predicts the next item in each.",
    "heuristics": "Recommenders that only count, such as the most popular items or those that "
    "often follow the last one. A trained model should beat them.",
    "references": "Trained models as they are, with nothing merged: the own-domain experts, one "
    "model trained on all domains, the base.",
    "methods": "The rows that a board is there to compare.",
    "track": "One question of a suite: its data, its domains and the rows that answer it.",
    "protocol": "How a model is tested: how events are split into training and test, and which "
    "items a target is ranked among.",
    "recipe": "Where a row's settings come from: the paper, its released code, or one fixed "
    "setting for all.",
    "tuned on": "How many settings were tried before a row's were chosen, and which data they were "
    "compared on.",
    "tier": "What a merge may read: T0 weights alone; T1 also the items; T2 also statistics that "
    "each domain computed of its users; T3 also users' training histories; T4 also what validation "
    "users chose next.",
    "baseline": "The row of a track that the others are compared with.",
    "difference": "The row's mean over the domains minus the baseline's.",
    "verdict": "What a test says of the difference from the baseline when seeds and users are "
    "resampled: better, worse, equivalent (within 1 %) or undecided.",
    "no verdict": "Nothing was tested: fewer than five seeds, fewer than 30 users in a domain, or "
    "models that do not beat counting.",
    "better": "The difference from the baseline is above zero, seeds and users resampled.",
    "worse": "The difference from the baseline is below zero, seeds and users resampled.",
    "equivalent": "The difference lies within 1 % of the baseline.",
    "undecided": "Tested, and these seeds and users do not tell which is better.",
    "naive gate": "Whether the trained models of a track beat recommenders that only count. Where "
    "they do not, no verdict is formed.",
    "seeds": "Trainings that are repeated with other random numbers; a row's mean is over them.",
    "groups": "Test targets that have something in common: few events before them, or a rare item.",
    "mean of ratios": "In each domain the score divided by that of the own-domain expert of the "
    "same seed; the mean of that over domains and seeds.",
    "NDCG@10": "1 where the wanted item is first, less the lower it stands, 0 from the 11th place "
    "on; the mean over test users.",
    "MRR": "One divided by the rank of the wanted item; the mean over test users.",
    "leakage": "Training events that happen later than a test event: what a model could not know "
    "in use.",
}
