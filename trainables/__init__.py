"""Plain PyTorch: encoders, losses, metrics and a training generator. Knows no Ray, no MLflow."""
