"""A trained model to be tried: a recording finds images, a photograph finds captions."""
