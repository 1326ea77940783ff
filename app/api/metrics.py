"""What a supervisor counts, on a port of its own: requests by route and status, their time, the seal's lag. No data."""

from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

REGISTRY = CollectorRegistry()
REQUESTS = Counter("dui_requests_total", "Requests answered", ("method", "route", "status"), registry=REGISTRY)
SECONDS = Histogram("dui_request_seconds", "Time to answer", ("route",), registry=REGISTRY)
SEAL_LAG = Gauge("dui_seal_lag_seconds", "Age of the oldest line of the trail not sealed yet", registry=REGISTRY)


@lru_cache(maxsize=5_000)
def _of(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(route)


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """`route` is a template, never a path: it may hold an id."""
    count, time = _of(method, route, status)
    count.inc()
    time.observe(seconds)


def serve(port: int) -> None:
    """On this machine only. Nothing is served when `port` is 0."""
    if port:
        start_http_server(port, addr="127.0.0.1", registry=REGISTRY)
