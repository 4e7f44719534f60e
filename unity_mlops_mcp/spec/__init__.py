"""1 describe: a sentence becomes an EnvironmentSpec and trainer settings."""
