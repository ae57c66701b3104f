class StoreProblem(Exception):
    """Why PostgreSQL or ClickHouse cannot be used: one sentence for people, and the way out."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.message = message
        self.hint = hint
