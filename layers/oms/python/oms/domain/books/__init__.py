"""What must be true of the books, and what is done where it is not."""

from oms.domain.books.difference import Difference
from oms.domain.books.tasks import Found, Proposal, Task, TaskState, task_id_of

__all__ = ["Difference", "Found", "Proposal", "Task", "TaskState", "task_id_of"]
