"""The whole way from a request to a trained policy, as one durable job."""
