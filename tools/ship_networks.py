"""Put trained networks into the package: tools/ship_networks.py STUDY MNIST.

STUDY is the output directory of ``spinplane train --network digits --bits all``, MNIST the directory of its
files. Writes ``digits-W-I.onnx``, a card beside each, and ``mnist-test-200.npz``: the first 200 test images.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np

from spinplane.compiler.frontend.networks import load_network
from spinplane.training.data import load_dataset

TARGET = Path(__file__).resolve().parent.parent / "api" / "data" / "networks"
CONFIGURATIONS = ("1-1", "1-2", "1-4", "2-2")
IMAGES = 200


def main(study: Path, mnist: Path) -> None:
    """Copy networks, write cards and images."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in CONFIGURATIONS:
        result = json.loads((study / name / "result.json").read_text(encoding="utf-8"))
        configuration = result["configuration"]
        network = load_network(configuration["network"])
        target = TARGET / f"{network.name}-{name}.onnx"
        shutil.copyfile(study / name / "network.onnx", target)
        card = {
            "network": network.name,
            "bits": configuration["bits"],
            "edge_bits": network.edge_bits,
            "weights": network.weights,
            "macs": network.macs,
            "dataset": configuration["dataset"],
            "training_images": result["training_images"],
            "test_images": result["test_images"],
            "test_error": result["exported_error"],
            "epochs": configuration["epochs"],
            "seed": configuration["seed"],
            "batch": configuration["batch"],
            "rate": configuration["rate"],
            "device": result["device"],
            "threads": result["threads"],
            "torch": result["torch"],
            "command": (
                f"spinplane train --network {network.name} --bits {configuration['bits']} --data MNIST "
                f"--epochs {configuration['epochs']} --seed {configuration['seed']} "
                f"--threads {result['threads']} -o {name}"
            ),
        }
        target.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    _, test = load_dataset("mnist", mnist, 28)
    pixels = test.batch(np.arange(IMAGES))[:, 0]
    labels = test.labels[:IMAGES].astype(np.uint8)
    np.savez_compressed(TARGET / f"mnist-test-{IMAGES}.npz", images=pixels, labels=labels)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
