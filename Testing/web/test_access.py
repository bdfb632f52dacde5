"""Who is let in, and what a name of a file or folder can reach."""

import asyncio
import stat

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from own_loop import run_apart
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.web import access
from ReirradiationReviewLib.web.files import Downloads, Uploads
from ReirradiationReviewLib.web.server import ReviewServer, ServeOptions

KEY = "the-key-of-this-run"
HTTP, HTTPS = (f"{scheme}:" + "//" for scheme in ("http", "https"))


def answers(requests, *, host="localhost", folder=None):
    """Answer requests ``(method, path, headers, body)`` one after another; return statuses and texts."""

    async def run():
        gatekeeper = access.Gatekeeper(KEY, host)
        application = web.Application(middlewares=[gatekeeper.middleware])

        async def index(request):
            response = web.Response(text="in")
            gatekeeper.let_in(request, response)
            return response

        application.router.add_get("/", index)
        if folder is not None:
            application.router.add_post("/upload", Uploads(folder / "uploads").receive)
        async with TestClient(TestServer(application, host="127.0.0.1")) as client:
            result = []
            for method, path, headers, body in requests:
                filled = {name: value.replace("PORT", str(client.port)) for name, value in headers.items()}
                answer = await client.request(method, path, headers=filled, data=body)
                result.append((answer.status, await answer.text()))
            return result

    return run_apart(run())


def the_answer(path, **headers):
    return answers([("GET", path, headers, None)])[0]


def test_the_right_key_lets_in():
    assert the_answer(f"/?key={KEY}") == (200, "in")


@pytest.mark.parametrize("path", ["/", "/?key=", "/?key=wrong", f"/?key={KEY[:-1]}", f"/?key={KEY}x"])
def test_a_missing_or_wrong_key_is_refused_and_the_remedy_said(path):
    assert the_answer(path) == (403, access.NO_KEY)


def test_the_key_is_kept_as_a_cookie_that_scripts_and_other_sites_cannot_use():
    first, then = answers([("GET", f"/?key={KEY}", {}, None), ("GET", "/", {}, None)])
    assert (first[0], then) == (200, (200, "in"))

    async def cookie():
        gatekeeper = access.Gatekeeper(KEY, "localhost")
        application = web.Application(middlewares=[gatekeeper.middleware])

        async def index(request):
            response = web.Response()
            gatekeeper.let_in(request, response)
            return response

        application.router.add_get("/", index)
        async with TestClient(TestServer(application)) as client:
            return (await client.get(f"/?key={KEY}")).headers["Set-Cookie"]

    text = run_apart(cookie())
    assert "HttpOnly" in text
    assert "SameSite=Strict" in text


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"{HTTP}localhost:1", f"{HTTPS}127.0.0.1:PORT"])
def test_a_foreign_origin_is_refused_even_with_the_key(origin):
    assert the_answer(f"/?key={KEY}", Origin=origin) == (403, access.FOREIGN_ORIGIN)


def test_the_pages_own_origin_is_let_in():
    assert the_answer(f"/?key={KEY}", Origin=f"{HTTP}127.0.0.1:PORT")[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example:PORT", "evil.example", "localhost:1", "localhost.evil.example:PORT", ""]
)
def test_a_name_that_is_not_this_servers_is_refused(host):
    assert the_answer(f"/?key={KEY}", Host=host) == (403, access.WRONG_HOST)


@pytest.mark.parametrize(("listens_on", "asked_for", "status"), [
    ("0.0.0.0", "10.1.2.3:PORT", 200),
    ("0.0.0.0", "evil.example:PORT", 403),
    ("review.hospital", "review.hospital:PORT", 200),
    ("localhost", "10.1.2.3:PORT", 403),
])  # fmt: skip
def test_a_server_for_others_answers_to_its_name_and_to_addresses(listens_on, asked_for, status):
    answer = answers([("GET", f"/?key={KEY}", {"Host": asked_for}, None)], host=listens_on)[0]
    assert answer[0] == status


def test_the_key_is_random_and_its_file_is_its_owners_alone(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (first, file), (second, _) = access.make_key(tmp_path / "a"), access.make_key(tmp_path / "b")
    assert first != second
    assert len(first) >= 40
    assert file.read_text() == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_another_host_without_encryption_is_refused(tmp_path):
    with pytest.raises(ReirradiationError, match="unencrypted"):
        ReviewServer(ServeOptions(host="0.0.0.0"), tmp_path)


def test_one_window_at_a_time_and_a_second_one_can_take_over():
    async def run():
        closed = asyncio.Event()

        async def close_all():
            closed.set()

        one = access.OneWindow("/ws", close_all)

        async def socket(_request):
            await closed.wait()
            return web.Response(text="closed")

        application = web.Application(middlewares=[one.middleware])
        application.router.add_get("/ws", socket)
        async with TestClient(TestServer(application)) as client:
            first = asyncio.ensure_future(client.get("/ws"))
            await asyncio.sleep(0.05)
            second = await client.get("/ws")
            refused = second.status, await second.text()
            await one.take_over()
            return refused, (await first).status, (await client.get("/ws")).status, await one.is_free()

    refused, first, third, is_free = run_apart(run())
    assert refused == (409, access.IN_USE)
    assert (first, third, is_free) == (200, 200, True)


def test_folders_below_the_root_only(tmp_path):
    root = tmp_path / "cases"
    (root / "patient" / "course1").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "file").write_text("")
    assert access.allowed_folder(root, "patient/course1") == (root / "patient" / "course1").resolve()
    assert access.allowed_folder(root, "") == root.resolve()
    for outside in ("..", "../secret", "patient/../../secret", "link", str(tmp_path / "secret"), "file", "nowhere"):
        assert access.allowed_folder(root, outside) is None, outside


@pytest.mark.parametrize(("name", "path"), [
    ("CT/1.dcm", "CT/1.dcm"),
    ("../../etc/passwd", "etc/passwd"),
    ("C:\\Users\\x\\1.dcm", "C/Users/x/1.dcm"),
    ("/absolute/1.dcm", "absolute/1.dcm"),
    ("a/./b//c", "a/b/c"),
    ("bad\x00name\n.dcm", "badname.dcm"),
    ("..", None),
    ("", None),
    ("///", None),
])  # fmt: skip
def test_an_uploaded_name_cannot_leave_its_folder(name, path):
    result = access.safe_relative_path(name)
    assert (None if result is None else result.as_posix()) == path


def test_uploaded_files_are_kept_as_sent_and_two_of_one_name_both(tmp_path):
    query = f"/upload?key={KEY}&slot=course1&name="
    sent = [
        ("POST", query + "CT/1.dcm", {}, b"one"),
        ("POST", query + "CT/1.dcm", {}, b"two"),
        ("POST", query + "../../outside", {}, b"three"),
        ("POST", f"/upload?key={KEY}&slot=../x&name=a", {}, b"four"),
        ("POST", "/upload?slot=course1&name=a", {"Cookie": ""}, b"five"),
    ]
    statuses = [status for status, _ in answers(sent, folder=tmp_path)]
    assert statuses == [200, 200, 200, 400, 403]
    kept = sorted(
        (path.read_bytes(), path.relative_to(tmp_path).parts[:3]) for path in tmp_path.rglob("*") if path.is_file()
    )
    assert kept == [
        (b"one", ("uploads", "course1", "CT")),
        (b"three", ("uploads", "course1", "outside")),
        (b"two", ("uploads", "course1", "CT")),
    ]


def test_only_what_was_offered_can_be_fetched(tmp_path):
    downloads = Downloads(tmp_path / "downloads")
    file = downloads.new_folder() / "report.html"
    file.write_text("the report")
    address = downloads.offer(file)

    async def run():
        application = web.Application()
        application.router.add_get("/download/{token}", downloads.send)
        async with TestClient(TestServer(application)) as client:
            right = await client.get(f"/{address}")
            wrong = await client.get("/download/other")
            text, disposition = await right.text(), right.headers["Content-Disposition"]
            downloads.new_folder()
            return text, disposition, wrong.status, (await client.get(f"/{address}")).status

    text, disposition, wrong, gone = run_apart(run())
    assert (text, disposition) == ("the report", 'attachment; filename="report.html"')
    assert (wrong, gone) == (404, 404)
