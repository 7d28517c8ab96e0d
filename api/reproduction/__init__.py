"""Every number of the paper beside ours: what it prints, how each figure is computed here, and where it contradicts
itself.
"""
