"""PET images in standardised uptake values (SUV)."""
