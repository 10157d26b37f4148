"""Official dataset layouts -> spoken WebDataset shards -> batches; derived feature columns."""
