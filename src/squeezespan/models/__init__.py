"""Student networks: backbones, projectors, the squeeze module, batch norm over processes."""
