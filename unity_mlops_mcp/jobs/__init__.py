"""The asynchronous job runner: submit, claim, supervise, heartbeat, recover; it knows nothing of Unity."""
