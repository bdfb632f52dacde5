"""How far a registration can be trusted, and where: landmarks, contours, the field itself, the images, the dose."""
