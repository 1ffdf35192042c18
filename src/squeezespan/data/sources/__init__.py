"""Where images come from: folders, archives, official formats, shards, hubs."""
