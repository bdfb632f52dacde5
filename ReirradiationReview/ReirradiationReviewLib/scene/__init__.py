"""The review as a MRML scene and as pictures: VTK and Slicer classes; the scene is always passed in."""
