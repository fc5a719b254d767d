"""Frontends that are pointed at `kspy tap --gateway`: JupyterLab, and a server on a gateway."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from browser import DRIVER, browser
from gateways import Client, GatewayTap, running_server, tapping_gateway
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from tapping import short_folder, wait_for

NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "one",
            "metadata": {},
            "outputs": [],
            "source": "print('seen', 'through', 'kspy')",
        }
    ],
    "metadata": {"kernelspec": {"display_name": "Python 3", "name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def shown(page: Chrome, selector: str) -> list[str]:
    return [element.text for element in page.find_elements(By.CSS_SELECTOR, selector)]


@pytest.mark.skipif(DRIVER is None, reason="needs chromium-driver")
def test_a_cell_runs_in_jupyterlab(tmp_path: Path) -> None:
    with short_folder() as folder, running_server(folder, kind="lab") as server:
        (folder / "one.ipynb").write_text(json.dumps(NOTEBOOK))
        with tapping_gateway(folder, server.url) as tap:
            with browser(tmp_path) as page:
                run_the_cell(page, f"{tap.url}/lab/tree/one.ipynb?token={server.token}&reset", tap)
            tap.wait_event("client_disconnected")
            stream = tap.wait_recorded(lambda message: message.msg_type == "stream")
            assert stream.content["text"].startswith("seen through kspy")
            assert tap.file().name.startswith("python3-")
            assert not [one for one in tap.messages() if one.flags]


def run_the_cell(page: Chrome, url: str, tap: GatewayTap) -> None:
    page.get(url)
    cell = ".jp-CodeCell .cm-content"
    wait_for(lambda: page.find_elements(By.CSS_SELECTOR, cell), "the cell")
    tap.wait_recorded(lambda message: message.msg_type == "kernel_info_reply")
    page.find_element(By.CSS_SELECTOR, cell).click()
    keys = ActionChains(page)
    keys.key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
    output = ".jp-OutputArea-output"
    wait_for(lambda: "seen through kspy" in "".join(shown(page, output)), "the output")


def test_a_server_that_has_its_kernels_behind_the_tap() -> None:
    async def converse(client: Client) -> None:
        kernel_id = await client.start_kernel()
        async with client.connect(kernel_id) as channels:
            assert await channels.run() == "Hello world!\n"
        assert (await client.ask("POST", f"/api/kernels/{kernel_id}/restart")).code == 200
        assert (await client.ask("DELETE", f"/api/kernels/{kernel_id}")).code == 204

    with (
        short_folder() as folder,
        running_server(folder, kind="gateway") as gateway,
        tapping_gateway(folder, gateway.url) as tap,
    ):
        options = [f"--gateway-url={tap.url}", f"--GatewayClient.auth_token={gateway.token}"]
        with running_server(folder, options=options) as server:
            asyncio.run(converse(Client(server.url, server.token)))
            tap.wait_event("kernel_shut_down")
            tap.wait_event("kernel_restarted")
            (request,) = (one for one in tap.messages() if one.msg_type == "execute_request")
            stream = tap.wait_recorded(lambda message: message.msg_type == "stream")
            assert stream.parent_id == request.msg_id
            assert stream.content["text"].startswith("Hello world!")
