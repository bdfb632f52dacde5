"""Long work beside the loop, and work that follows a control."""

import asyncio
import threading

import pytest
from own_loop import run_apart
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.web.jobs import Jobs
from ReirradiationReviewLib.web.latest import LatestWins


def a_run(work, cancels_at=None):
    """Run one job; return its result, what was told of its progress, and the errors."""
    told, errors = [], []

    async def run():
        jobs = Jobs(told.append, errors.append)
        job = asyncio.ensure_future(jobs.run("Registering", work))
        if cancels_at is not None:
            await asyncio.get_running_loop().run_in_executor(None, cancels_at.wait, 5)
            jobs.cancel()
        return await job, jobs.status

    result, after = run_apart(run())
    return result, told, errors, after


def test_a_job_gives_its_result_and_leaves_nothing_running():
    result, told, errors, after = a_run(lambda progress: progress(0.5, "half") or 42)
    assert (result, errors, after.is_running) == (42, [], False)
    assert told[0].title == "Registering"


def test_the_loop_goes_on_while_a_job_works():
    release = threading.Event()

    async def run():
        jobs = Jobs(lambda _: None, lambda _: None)
        job = asyncio.ensure_future(jobs.run("Reading", lambda _: release.wait(5)))
        await asyncio.sleep(0.01)
        release.set()  # only a loop that is not blocked gets here
        return await job

    assert run_apart(run()) is True


def test_a_failing_job_tells_its_sentence_and_the_next_one_runs():
    def refuse(_progress):
        raise ReirradiationError("course 2 has no RTDOSE")

    async def run():
        errors = []
        jobs = Jobs(lambda _: None, errors.append)
        assert await jobs.run("Reading", refuse) is None
        return errors, await jobs.run("Reading", lambda _: "read")

    assert run_apart(run()) == (["course 2 has no RTDOSE"], "read")


def test_an_unexpected_error_is_named_and_logged(caplog):
    _, _, errors, _ = a_run(lambda _: 1 / 0)
    assert errors == ["Unexpected error (ZeroDivisionError): division by zero. The details are in the terminal."]
    assert "division by zero" in caplog.text


def test_a_cancelled_job_stops_where_it_tells_its_progress():
    begun = threading.Event()

    def work(progress):
        begun.set()
        for _ in range(1000):
            progress(0.1, "working")
            threading.Event().wait(0.005)
        return "done"

    result, _, errors, after = a_run(work, cancels_at=begun)
    assert (result, errors, after.is_running) == (None, [], False)


def test_a_second_job_is_refused_while_one_runs():
    async def run():
        errors, release = [], threading.Event()
        jobs = Jobs(lambda _: None, errors.append)
        first = asyncio.ensure_future(jobs.run("Registering", lambda _: release.wait(5)))
        await asyncio.sleep(0.01)
        second = await jobs.run("Reading", lambda _: 1)
        release.set()
        return await first, second, errors

    first, second, errors = run_apart(run())
    assert (first, second) == (True, None)
    assert errors == ["Registering is still running: wait for it, or cancel it first"]


@pytest.mark.parametrize("wishes", [1, 100])
def test_of_many_wishes_the_first_and_the_last_are_fulfilled(wishes):
    done = []

    async def run():
        async def work(value, _is_outdated):
            await asyncio.sleep(0.01)
            done.append(value)

        latest = LatestWins(work)
        for value in range(wishes):
            latest.wish(value)
            await asyncio.sleep(0)
        await latest.settled()

    run_apart(run())
    assert done[-1] == wishes - 1
    assert len(done) <= 2


def test_work_can_see_that_a_newer_wish_has_come():
    seen = []

    async def run():
        async def work(_value, is_outdated):
            await asyncio.sleep(0.01)
            seen.append(is_outdated())

        latest = LatestWins(work)
        latest.wish(1)
        await asyncio.sleep(0)
        latest.wish(2)
        await latest.settled()

    run_apart(run())
    assert seen == [True, False]
