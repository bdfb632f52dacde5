"""A stand-in for what 3D Slicer's own Python adds to the slicer-core wheel: PythonQt's ``qt``, ``ctk`` and widgets.

Real Qt (PySide6, off-screen) lies below, real MRML (slicer-core) beside it. It is strict: a class offers exactly the
members, properties and signals that `facts.json` lists for it, which were read out of a real Slicer 5.13, and an object
takes only values that PythonQt would take.

What it does not prove: that Slicer finds and loads the module; Qt 5's look and its differences from Qt 6; what CTK's
and Slicer's widgets do beyond the few things told in `slicer_widgets`; slice and 3D views; the DICOM database; the
plugins that fill the subject hierarchy; SlicerRT; when Slicer lets other Python threads run. For these there is the
module's self-test, which runs in Slicer.
"""
