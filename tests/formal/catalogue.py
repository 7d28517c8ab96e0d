"""All proofs, in the order of the page."""

from .proof import load

PROOFS = load(
    "power_up_proofs",
    "clock_gating_proofs",
    "array_proofs",
    "control_proofs",
    "output_proofs",
    "pooling_proofs",
    "multiplier_proofs",
    "scale_proofs",
    "search_proofs",
    "host_proofs",
    "axi_bank_proofs",
)
