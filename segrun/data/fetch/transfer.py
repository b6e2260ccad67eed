"""The download: in pieces, tried again, gone on with where it stopped."""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections.abc import Iterator, Sequence
from http.client import HTTPException, HTTPResponse
from importlib import metadata
from urllib.error import HTTPError, URLError
from urllib.request import Request, build_opener

from segrun.data.fetch.part import Part, Version
from segrun.errors import DataError
from segrun.progress import Progress

log = logging.getLogger("segrun.data.fetch")

#: Seconds before each attempt after the first.
WAITS = (1.0, 2.0, 4.0, 8.0, 8.0)

#: For connecting and for each read, not for the whole.
TIMEOUT_SECONDS = 30.0

_PIECE_BYTES = 2**16


class _LostError(Exception):
    """The attempt failed in a way that another one may not."""


def download(part: Part, *, about_bytes: int, waits: Sequence[float] = WAITS) -> None:
    """Download the file that `part` is of, going on with the bytes that are here.

    The server is asked for the rest of the same version only; where it has another one by now,
    it sends the whole.

    Parameters
    ----------
    part : Part
        Grows, and is whole when this returns.
    about_bytes : int
        Size that progress is shown of where the server does not tell it.
    waits : sequence of float, default=WAITS
        Seconds before each attempt after the first.

    Raises
    ------
    DataError
        If the server refuses, or every attempt failed.
    StoreError
        If the part cannot be written.
    """
    try:
        for wait in (*waits, None):
            try:
                _attempt(part, about_bytes)
            except _LostError as error:
                if wait is None:
                    raise _given_up(part, error, len(waits) + 1) from error
                log.warning("%s. Trying again in %g s", error, wait)
                time.sleep(wait)
            else:
                return
    except KeyboardInterrupt:
        log.warning("stopped. %s", _outlook(part))
        raise


def _attempt(part: Part, about_bytes: int) -> None:
    if part.is_whole:
        return
    start = part.size if part.can_go_on else 0
    headers = {"User-Agent": f"segrun/{metadata.version('segrun')}"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": part.version.validator}
    request = Request(part.url, headers=headers)  # noqa: S310 - the caller has checked it
    with _open(request, part) as response:
        if response.status == 206:
            version = _continued(response, part, start)
        else:
            start, version = 0, Version(part.url, _validator(response), response.length)
        pieces = _shown(_pieces(response, part.url), start, version.total or about_bytes)
        size = part.append(pieces, start, version)
    if version.total not in (None, size):
        if size > version.total:
            part.discard()
        raise _LostError(f"{part.url} sent {size:,} of {version.total:,} bytes")
    part.finish()


def _open(request: Request, part: Part) -> HTTPResponse:
    try:
        # Not urlopen: it keeps the proxies of its first call.
        response: HTTPResponse = build_opener().open(request, timeout=TIMEOUT_SECONDS)
    except HTTPError as error:
        error.close()
        said = f"{part.url} answers {error.code} {error.reason}"
        if error.code == 416:
            part.discard()
            raise _LostError(f"{said}: it has no such rest") from error
        if error.code >= 500:
            raise _LostError(said) from error
        raise DataError(
            f"{said}. Check the address, or name a mirror: SEGRUN_FETCH_URL=URL"
        ) from error
    except (OSError, HTTPException, ValueError) as error:
        # ValueError: a redirection to what is no address.
        raise _unreached(part.url, error) from error
    return response


def _unreached(url: str, error: Exception) -> Exception:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return DataError(
            f"{url}: the server's certificate is not trusted ({reason.verify_message}). "
            "Behind a proxy with a certificate of its own: SSL_CERT_FILE=FILE"
        )
    return _LostError(f"{url} cannot be reached: {_text(reason)}")


def _text(reason: object) -> str:
    return str(reason) or type(reason).__name__


def _validator(response: HTTPResponse) -> str:
    etag = response.headers.get("ETag", "")
    # A weak ETag promises the same meaning, not the same bytes.
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified", "")


def _continued(response: HTTPResponse, part: Part, start: int) -> Version:
    """Return the version, with its total, if the answer is the rest that was asked for."""
    version = part.version
    text = response.headers.get("Content-Range", "")
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", text.strip())
    total = int(found[2]) if found and found[2] != "*" else version.total
    if (
        not found
        or int(found[1]) != start
        or version.total not in (None, total)
        or _validator(response) not in ("", version.validator)
    ):
        part.discard()
        raise _LostError(f"{part.url} sent another rest than from byte {start:,} on ({text!r})")
    return Version(part.url, version.validator, total)


def _pieces(response: HTTPResponse, url: str) -> Iterator[bytes]:
    while True:
        try:
            # read1, not read: what has come is kept when the connection breaks.
            piece = response.read1(_PIECE_BYTES)
        except (OSError, HTTPException) as error:
            raise _LostError(f"{url} broke off: {_text(error)}") from error
        if not piece:
            return
        yield piece


def _shown(pieces: Iterator[bytes], start: int, total: int) -> Iterator[bytes]:
    """Yield the pieces and show how far they have come."""
    with Progress("fetching, percent", 100) as progress:
        n_bytes = start
        for piece in pieces:
            n_bytes += len(piece)
            progress.reach(min(n_bytes / total, 1.0))
            yield piece


def _outlook(part: Part) -> str:
    if part.is_whole or part.can_go_on:
        return f"{part.size:,} bytes are kept in {part.path}; the same command goes on from there"
    return "The same command starts again from the beginning"


def _given_up(part: Part, error: Exception, n_attempts: int) -> DataError:
    return DataError(
        f"{part.url} was not fetched in {n_attempts} attempts. The last one: {error}. "
        f"Check the network and HTTPS_PROXY. {_outlook(part)}. "
        "From a mirror: SEGRUN_FETCH_URL=URL"
    )
