"""Clusters of a Stampede host as commands of OpenStack's own client: `openstack stampede ...`."""
