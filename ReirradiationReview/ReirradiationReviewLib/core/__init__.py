"""The review's arithmetic: numpy, scipy, SimpleITK and pydicom only; no VTK, Slicer, Qt or web."""
