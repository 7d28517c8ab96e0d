"""What a training is, where nothing else is said; without PyTorch, so that the command can tell it."""

DATA_SET, EPOCHS, RATE, BATCH = "mnist", 30, 2e-3, 128
