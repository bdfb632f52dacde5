"""Qt widgets of the module's panel in 3D Slicer; they hold no arithmetic."""
