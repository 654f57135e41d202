"""What goes wrong, as exceptions. Their texts are those that the command line prints."""


class Error(Exception):
    """Something failed for a reason that may pass: a file is missing or cannot be read, a disk is full.

    The base of all exceptions of auforge; by itself it stands for what the programs leave with exit status 1.
    What is wrong with *one image* of many is no exception: it is the image's :attr:`Result.status`.
    """


class UsageError(Error, ValueError):
    """An argument makes no sense: an option out of range, an array that is no picture, a query that does not parse.

    Exit status 2 of the programs.
    """


class BadInputError(Error, ValueError):
    """A file was read, and it is damaged, of another kind, or has nothing in it that could be used.

    Trying again does not help. Exit status 3 of the programs.
    """


class NotFoundError(Error, FileNotFoundError):
    """The one file that was named is not there."""
