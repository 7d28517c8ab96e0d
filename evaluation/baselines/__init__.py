"""Other hardware for the same network: documented models with parameters of their own."""

from .crossbar import crossbar, crossbar_sources
from .crossbar_design import CrossbarDesign, CrossbarLayer, crossbar_designs
from .layer_work import LayerWork
from .mac_array import mac_array, mac_sources
from .results import BaselineEstimate, CostPart, LayerCost
from .silicon import Silicon, published_silicon
from .static_arrays import static_arrays
from .von_neumann import VonNeumann, von_neumann, von_neumann_sources

__all__ = [
    "BaselineEstimate",
    "CostPart",
    "CrossbarDesign",
    "CrossbarLayer",
    "LayerCost",
    "LayerWork",
    "Silicon",
    "VonNeumann",
    "crossbar",
    "crossbar_designs",
    "crossbar_sources",
    "mac_array",
    "mac_sources",
    "published_silicon",
    "static_arrays",
    "von_neumann",
    "von_neumann_sources",
]
