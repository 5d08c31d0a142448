"""The one shape in which rsync runs between the appliances: what our client says, and what our server admits."""

import re

TIMEOUT_SECONDS = 120
"""Of silence on the line; rsync keeps a connection alive while it calculates."""

_ALWAYS = (
    # Our manifest decides what travels: equal size and time do not mean equal content (FIGURES section 8).
    "--ignore-times",
    "--files-from=-",
    "--from0",
    "--perms",
    "--chmod=D0700,F0600",  # whatever the modes are at the source
    "--no-implied-dirs",  # folders on the way are made there, their modes and owners do not travel
    "--no-dirs",
    "--compress",
    f"--timeout={TIMEOUT_SECONDS}",
    "--no-inc-recursive",  # a total that is known from the begin
    "--info=progress2,stats2",
    "--no-human-readable",
    "--outbuf=L",
)

_SERVER = re.compile(
    r"rsync --server (?P<flags>-pIRze\.[A-Za-z]{1,24})"
    rf"(?P<options>(?: (?:--timeout={TIMEOUT_SECONDS}|--bwlimit=[1-9][0-9]{{0,8}}"
    r"|--partial|--inplace|--info=STATS2|--no-implied-dirs))*)"
    r" \. (?P<folder>manifest|files|databases)"
)


def client_options(folder: str, bandwidth_limit: int) -> list[str]:
    """Return the client's options for this folder of the inbox; bandwidth_limit in KiB/s, 0: none.

    Dumps are built beside the last one, which is what their delta refers to: written into it in place,
    rows inserted at the front would overwrite what the rest is taken from. An interrupted one replaces
    it, so that every try gets further. Everything else is written in place: nothing is left over after
    a kill, and what already arrived is compared, not sent again.
    """
    how = ["--partial"] if folder == "databases" else ["--inplace"]
    limit = [f"--bwlimit={bandwidth_limit}"] if bandwidth_limit > 0 else []
    return [*_ALWAYS, *how, *limit]


def server_request(original: str) -> tuple[list[str], str] | None:
    """Return (rsync's flags and options, folder of the inbox); None for any command our client never sends."""
    match = _SERVER.fullmatch(original)
    if match is None:
        return None
    return ["--server", match["flags"], *match["options"].split()], match["folder"]
