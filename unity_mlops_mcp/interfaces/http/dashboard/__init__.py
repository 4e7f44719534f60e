"""The dashboard: pages made on the server, with a little script that keeps them up to date."""
