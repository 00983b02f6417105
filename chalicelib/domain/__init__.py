"""What is so, given the facts: pure folds, `now` is an argument."""
