"""The table that a run of a bench ends with."""


class Table:
    """Figures as they come; each is told at once."""

    def __init__(self):
        self.rows = []

    def say(self, what, figure, reach=""):
        self.rows.append((what, figure, reach))
        print(f"{what}: {figure}" + (f"  ({reach})" if reach else ""), flush=True)

    def show(self):
        print("\n| what | figure | reach |\n| --- | --- | --- |")
        for row in self.rows:
            print("| " + " | ".join(row) + " |")
