"""What Python programs, notebooks and the command line call: `import recmerge_bench as rmb`."""
