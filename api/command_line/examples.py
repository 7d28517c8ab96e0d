"""Examples that end the help of each command: what to type, and what comes of it."""

from collections.abc import Mapping

#: By command. A test parses each line, and asks for some of every command.
EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "demo": {
        "spinplane demo": "a digit becomes a class inside the memory, checked bit by bit",
        "spinplane demo --digit 7 --json build/digit.json": "another digit, and the result as a file",
        "spinplane demo --explain": "one output of the paper's Fig. 6, step by step",
    },
    "compile": {
        "spinplane compile digits-1-4": "placement and cycles of a shipped network",
        "spinplane compile svhn:1:4 --machine paper --clock 4ns": "of the literature, with times",
        "spinplane compile net.onnx -o net.npz": "your own network, and its program as a file",
    },
    "estimate": {
        "spinplane estimate svhn:1:1 --machine paper --layers": "energy of an image, layer by layer",
        "spinplane estimate digits-1-4 --technology sot-mram,sram": "two kinds of arrays side by side",
    },
    "sweep": {
        "spinplane sweep space.toml": "designs that nothing beats, as tables, CSV and picture",
        "spinplane sweep space.toml --top 5 --jobs 4 -o build/mine": "the best five, on four cores",
    },
    "run": {
        "spinplane run net.onnx --input x.npy": "on the RTL, every layer checked",
        "spinplane run digits-1-4 --input x.npy --waves build/waves": "with a waveform",
        "spinplane run net.onnx --input images.npy --jobs 2": "many images on two accelerators",
    },
    "report": {
        "spinplane report digits-1-4": "one page: map, run, counters, energy, cells",
        "spinplane report net.onnx --input x.npy --machine paper --no-rtl -o net.html": "without the RTL",
    },
    "trace": {
        "spinplane trace digits-1-4 --input x.npy --output 3,0,0": "the sum of class 3",
        "spinplane trace digits-1-4 --input x.npy --layer conv1 --output 0,5,5": "a pixel of a layer",
    },
    "compare": {
        "spinplane compare net.onnx": "random images through the network and its file's executor",
        "spinplane compare net.onnx --input x.npy": "your own images",
    },
    "accuracy": {
        "spinplane accuracy digits-1-4": "200 digits, with a confusion table",
        "spinplane accuracy net.onnx --data test.npz": "your own network and data",
        "spinplane accuracy digits-1-4 --sigma-ra 0.05 --sigma-ra 0.1": "against the variation of cells",
    },
    "device": {
        "spinplane device": "resistances, margins, errors, times of the paper's cell",
        "spinplane device --set oxide.thickness=1.25 --all": "a changed cell, every figure with its source",
        "spinplane device --sweep temperature=250:400:6": "figures over the temperature",
        "spinplane device --trials 5000000 --jobs 2": "rarer wrong senses, on two cores",
    },
    "energy": {
        "spinplane energy --machine paper": "what each event of a machine takes",
        "spinplane energy --technology stt-mram --csv events.csv": "of another technology, as a file",
    },
    "paper": {
        "spinplane paper": "how many claims of the paper hold",
        "spinplane paper --html build/paper.html": "every number beside ours, with pictures",
    },
    "export": {
        "spinplane export --machine paper8 -o build/rtl": "Verilog, C header, datasheet, bench",
        "spinplane export --machine my.toml -o build/rtl --clock 500MHz": "a machine of your own",
    },
    "exchange": {
        "spinplane exchange --machine paper8 --bits 1:1": "the machine for ZigZag and AccelForge, its cell for NVSim",
        "spinplane exchange --machine paper --tool zigzag -o build/zigzag": "for one tool",
    },
    "synth": {
        "spinplane synth --machine tiny": "area of each block, with the package's 45 nm cells",
        "spinplane synth --machine paper8 --fpga ecp5": "look-up tables of an FPGA",
        "spinplane synth --machine tiny --check": "are the gates equal to the RTL?",
    },
    "train": {
        "spinplane train --network digits --bits 1:4 --data mnist/": "a network as it is shipped",
        "spinplane train --network svhn --bits all --data svhn/ --dataset svhn": "the paper's Fig. 7",
    },
    "cache": {
        "spinplane cache": "where compiled models are kept, and how much room they take",
        "spinplane cache --limit 500": "remove what was used longest ago beyond 500 MB",
    },
    "doctor": {
        "spinplane doctor": "what is there, what is missing, and what to type for it",
        "spinplane doctor --json doctor.json": "as a file, for a report of a fault",
    },
    "list": {
        "spinplane list": "all that has a name",
        "spinplane list machines --json machines.json": "one kind, as a file",
    },
    "completion": {
        'eval "$(spinplane completion bash)"': "in this shell, or in ~/.bashrc",
        "spinplane completion zsh > ~/.zfunc/_spinplane": "in a folder of zsh's fpath",
        "spinplane completion fish > ~/.config/fish/completions/spinplane.fish": "for fish",
    },
}


def epilogue(command: str) -> str | None:
    """What ends the help of a command; None of one without examples."""
    examples = EXAMPLES.get(command)
    if not examples:
        return None
    return "Examples:\n\n" + "\n".join(f"    # {meaning}\n    {line}" for line, meaning in examples.items())
