"""What a layer of whole numbers means: steps in exact arithmetic, arithmetic of operators, additions of codes."""
