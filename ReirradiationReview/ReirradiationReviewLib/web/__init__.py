"""The review in a browser, on Slicer's own views (trame-slicer); no arithmetic here."""
