"""What the how-to pages show is run as it stands there."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Make, make_shuke
from tests.cli.test_serving import secret_of, served

pytestmark = pytest.mark.database

__all__ = ["make_shuke"]  # a fixture

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"


def test_a_script_of_forty_lines_goes_through_the_whole_life_of_an_order(make_shuke: Make, unborn_tenant: str):
    script = HOW_TO / "first-membership.py"
    told = script.read_text(encoding="utf-8").split('"""', 4)
    assert len([line for line in (told[2] + told[4]).splitlines() if line.strip()]) <= 40
    shuke = make_shuke(unborn_tenant, SHUKE_WEBHOOKS_ALLOW_PRIVATE="1")
    with served(shuke) as (address, server):
        done = subprocess.run(
            [sys.executable, script, address, secret_of(shuke, "all")],
            env=os.environ | {"LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        server.send_signal(signal.SIGTERM)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:3] == ["to pay 48000", "earned {'points': 48}", "back 24000"]
    assert "Earned 48 points for order A-1" in done.stdout
    assert lines[-1] == "heard ['order.refunded', 'order.settled']"


def test_one_customer_is_one_person_everywhere_and_nobody_is_mixed_up(make_shuke: Make, unborn_tenant: str):
    script = HOW_TO / "one-person-everywhere.py"
    shuke = make_shuke(unborn_tenant)
    with served(shuke) as (address, server):
        done = subprocess.run(
            [sys.executable, script, address, secret_of(shuke, "all")],
            env=os.environ | {"LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        server.send_signal(signal.SIGTERM)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[:3] == [
        "shopify-1 Nobody was called so: somebody new. []",
        "till-1 Found by an identity that was told and never verified: phone. []",
        "web-1 Found by a verified identity: phone. "
        "['Not added, because nobody has shown that she is who she says: email.']",
    ]
    assert said[3] == "Several members have it, so it says of none that it is she: anonymous."
    assert said[-1].endswith("gone phone identity.moved recycled")
