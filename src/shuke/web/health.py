"""For whoever watches over the process: is it alive, is it ready, what does it measure."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout

from shuke.runtime.shop import Shop
from shuke.web.api.contract import Shown
from shuke.web.api.routes import name_of

router = APIRouter(tags=["Health"], generate_unique_id_function=name_of)


class Alive(Shown):
    """The process answers."""

    status: str = "alive"


class Ready(Shown):
    """Whether requests can be done: the books answer and a program is published."""

    status: str
    books: bool
    program: bool


@router.get("/healthz")
async def get_health() -> Alive:
    """Whether the process is alive. If this fails, start it again."""
    return Alive()


@router.get("/readyz", response_model=Ready, responses={503: {"model": Ready, "description": "Not ready."}})
async def get_readiness(request: Request, response: Response) -> Ready:
    """Whether to send requests here."""
    shop: Shop = request.app.state.shop
    books, program = True, False
    try:
        program = await shop.is_ready()
    except (DatabaseError, PoolTimeout):
        books = False
    ready = books and program
    response.status_code = 200 if ready else 503
    return Ready(status="ready" if ready else "not ready", books=books, program=program)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def get_metrics(request: Request) -> Any:
    """What is measured, for Prometheus."""
    shop: Shop = request.app.state.shop
    return Response(generate_latest(shop.figures.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
