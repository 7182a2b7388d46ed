"""Files of the hub: read by ranges, downloaded, verified, kept."""
