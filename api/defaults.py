"""What is taken where nothing is given: a function and its command read it here, where alone it is written."""

from pathlib import Path
from typing import Final

#: Machine of networks, small enough to simulate; and of cells, events and the paper.
NETWORK_MACHINE, PAPER_MACHINE = "paper8", "paper"
#: The technology of the paper, and of machines of which nothing else is said.
TECHNOLOGY = "sot-mram"
#: Handwritten digit of a demonstration, and the network that classifies it.
DIGIT, DIGITS_NETWORK = 3, "digits-1-4"
#: Fault maps, or runs with transient faults, of a point; random images of a comparison.
FAULT_SEEDS, SAMPLES = 10, 16
#: Bit lines that are drawn to count wrong senses.
SENSE_TRIALS = 100_000
#: Accelerators that share the images of a run; best designs of a space that are shown.
ACCELERATORS, BEST_SHOWN = 1, 1
#: W:I of the layers for which a machine is written for other tools.
EXCHANGE_BITS = "8:8"
#: Of synthesis: see `spinplane.physical.synthesize`.
ADDERS: Final = "ripple"
CLOCK_GATING: Final = "none"
#: Of everything drawn at random.
SEED = 0
#: Where pictures, weights and the like are written to.
DEMO_FOLDER, ACCURACY_FOLDER, TRAINING_FOLDER, DEVICE_FOLDER, EXCHANGE_FOLDER, SWEEP_FOLDER = (
    Path("build") / name for name in ("demo", "accuracy", "train", "device", "exchange", "sweep")
)
