"""Manga, groups and chapters: searched, shown and changed over a real socket, on a real database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from house import NOW, House, Served
from sqlalchemy import insert, select

from mangadex_server.database import Database
from mangadex_server.errors import InConflict, NotFound
from mangadex_server.tables import chapter_groups, jobs, pages, sessions

DAY = 86_400.0
ALL_RATINGS = [("contentRating[]", item) for item in ("safe", "suggestive", "erotica", "pornographic")]

MANGA_KEYS = {
    *("title", "altTitles", "description", "isLocked", "links", "originalLanguage", "lastVolume", "lastChapter"),
    *("publicationDemographic", "status", "year", "contentRating", "chapterNumbersResetOnNewVolume", "tags", "state"),
    *("availableTranslatedLanguages", "latestUploadedChapter", "version", "createdAt", "updatedAt"),
}
GROUP_KEYS = {
    *("name", "altNames", "website", "ircServer", "ircChannel", "discord", "contactEmail", "description", "twitter"),
    *("mangaUpdates", "focusedLanguages", "locked", "official", "verified", "inactive", "exLicensed", "publishDelay"),
    *("version", "createdAt", "updatedAt"),
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def http(house: House) -> Iterator[httpx2.Client]:
    with Served(house.app()) as client:
        yield client


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    with Served(House(tmp_path_factory.mktemp("untouched")).app()) as client:
        yield client


def ids(answer: httpx2.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["data"]]


def signed(user_id: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {user_id}"}


def refusal(answer: httpx2.Response, status: int) -> str:
    (entry,) = answer.json()["errors"]
    assert (answer.status_code, entry["status"]) == (status, status)
    return str(entry["detail"])


def test_manga_has_every_attribute(house: House, http: httpx2.Client) -> None:
    answer = http.get(f"/manga/{house.manga.upper()}")
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    attributes = body["data"]["attributes"]
    assert (body["result"], body["response"], body["data"]["type"]) == ("ok", "entity", "manga")
    assert attributes.keys() == MANGA_KEYS
    assert attributes["title"] == {"en": 'Official "Test" Manga'}
    assert (attributes["originalLanguage"], attributes["createdAt"]) == ("ko", "2027-01-15T08:00:00+00:00")


def test_group_has_every_attribute(house: House, http: httpx2.Client) -> None:
    attributes = http.get(f"/group/{house.group}").json()["data"]["attributes"]
    assert attributes.keys() == GROUP_KEYS
    assert (attributes["name"], attributes["locked"]) == ("Good Group", False)


@pytest.mark.parametrize("path", ["/manga/{}", "/group/{}", "/chapter/{}", "/manga/{}/feed", "/manga/{}/aggregate"])
@pytest.mark.parametrize("id_", ["5c1f5a3e-0f5b-4f0e-9d0a-3f3f1a0c7b11", "chapter_id_example", "%00", "%2e%2e%2f"])
def test_unknown_ids_are_not_found(untouched: httpx2.Client, path: str, id_: str) -> None:
    assert untouched.get(path.format(id_)).status_code == 404


def test_titles_by_relevance(house: House, http: httpx2.Client) -> None:
    add = [house.catalog(lambda it, t=t: it.add_manga(t)) for t in ("A test of time", "TEST", "Test 2", "50% off_x")]  # type: ignore[misc]
    assert ids(http.get("/manga?title=test")) == [add[1], add[2], add[0], house.manga]
    assert ids(http.get("/manga?title=test&order[relevance]=asc")) == [house.manga, add[0], add[2], add[1]]
    assert ids(http.get("/manga?title=OF+TIME")) == [add[0]]
    assert ids(http.get("/manga", params={"title": "50%"})) == [add[3]]
    assert ids(http.get("/manga", params={"title": "f_x"})) == [add[3]]
    assert ids(http.get("/manga", params={"title": "tes_"})) == []


def test_titles_in_other_languages_are_found(house: House, http: httpx2.Client) -> None:
    other_titles = [{"ja": "鋼の錬金術師", "de": "Straße nach Ärzen"}, {"fr": "L'alchimiste"}]
    alchemist = house.catalog(lambda it: it.add_manga("Alchemist of Steel", altTitles=other_titles))
    by_title = house.catalog(lambda it: it.add_manga("Ein langer Weg, eine STRASSE"))
    for title in ("錬金", "l'alchimiste", "ÄRZEN", "nach ärzen"):
        assert ids(http.get("/manga", params={"title": title})) == [alchemist], title
    assert ids(http.get("/manga", params={"title": "strasse"})) == [by_title, alchemist]  # its own title first
    assert ids(http.get("/manga", params={"title": "altTitles"})) == []
    assert ids(http.get("/manga", params={"title": "nach ä%n"})) == []
    group = house.catalog(lambda it: it.add_group("Grupa", altNames=["Équipe", "Zespół"]))
    assert ids(http.get("/group", params={"name": "ÉQUIPE"})) == ids(http.get("/group?name=zespół")) == [group]


def test_what_nobody_here_is_finds_nothing(house: House, http: httpx2.Client) -> None:
    tag, other = str(uuid4()), str(uuid4())
    tagged = house.catalog(lambda it: it.add_manga("Tagged", tags=[{"id": tag, "type": "tag", "attributes": {}}]))
    for name in ("authors[]", "artists[]", "authorOrArtist", "includedTags[]"):
        assert ids(http.get("/manga", params={name: other})) == [], name
        assert refusal(http.get("/manga", params={name: "Somebody"}), 400)
    assert ids(http.get("/manga?hasUnavailableChapters=1")) == []
    assert len(ids(http.get("/manga?hasUnavailableChapters=0"))) == 2
    assert ids(http.get("/manga", params={"includedTags[]": tag})) == [tagged]
    assert ids(http.get("/manga", params=[("includedTags[]", tag), ("includedTags[]", other)])) == []
    assert ids(http.get("/manga", params=[("excludedTags[]", tag), ("excludedTags[]", other)])) == [house.manga]


def test_a_manga_says_what_can_be_read_of_it(house: House, http: httpx2.Client) -> None:
    stored: dict[str, Any] = {
        "availableTranslatedLanguages": ["xx"],
        "latestUploadedChapter": str(uuid4()),
        "lastChapter": "9",
    }
    other = house.catalog(lambda it: it.add_manga("Other", **stored))
    house.add_chapter(language="pt-br", created_at=NOW - 30)
    latest = house.add_chapter(language="en", created_at=NOW - 20)
    house.add_chapter(language="en", created_at=NOW - 25)
    for state in STATES.values():
        house.add_chapter(language="fr", created_at=NOW - 5, **state)

    def said(manga_id: str) -> tuple[list[str], str | None]:
        attributes = http.get(f"/manga/{manga_id}").json()["data"]["attributes"]
        listed = http.get(f"/manga?ids[]={manga_id}").json()["data"][0]["attributes"]
        assert listed == attributes
        return attributes["availableTranslatedLanguages"], attributes["latestUploadedChapter"]

    assert said(house.manga) == (["en", "pt-br"], latest)
    assert said(other) == ([], None)
    assert http.get(f"/manga/{other}").json()["data"]["attributes"]["lastChapter"] == "9"
    for language in ("en", "pt-br", "fr", "xx"):
        found = ids(http.get(f"/manga?availableTranslatedLanguage[]={language}"))
        assert found == [house.manga] * (language in said(house.manga)[0])
    included = http.get(f"/chapter/{latest}?includes[]=manga").json()["data"]["relationships"][0]
    assert included["attributes"]["latestUploadedChapter"] == latest
    house.now = NOW + DAY  # one of the French ones opens
    assert said(house.manga)[0] == ["en", "fr", "pt-br"]
    assert ids(http.get("/manga?availableTranslatedLanguage[]=fr")) == [house.manga]


def test_manga_filters(house: House, http: httpx2.Client) -> None:
    adult = house.catalog(lambda it: it.add_manga("Adult", content_rating="pornographic"))
    done = house.catalog(lambda it: it.add_manga("Done", status="completed", year=1999, publicationDemographic="josei"))
    house.catalog(lambda it: it.add_manga("Hidden", state="draft"))
    house.add_chapter(house.group, language="fr")
    assert set(ids(http.get("/manga"))) == {house.manga, done}
    assert ids(http.get("/manga?contentRating%5B%5D=pornographic")) == [adult]
    assert ids(http.get("/manga?status[]=completed")) == [done]
    assert ids(http.get("/manga?status[]=ongoing")) == [house.manga]
    assert ids(http.get("/manga?year=1999")) == [done]
    assert ids(http.get("/manga?publicationDemographic[]=none")) == [house.manga]
    assert ids(http.get("/manga?originalLanguage[]=ko&originalLanguage[]=zh")) == [house.manga]
    assert ids(http.get("/manga?excludedOriginalLanguage[]=ko")) == [done]
    assert ids(http.get("/manga?availableTranslatedLanguage[]=fr")) == [house.manga]
    assert ids(http.get("/manga?availableTranslatedLanguage[]=en")) == []
    assert ids(http.get(f"/manga?group={house.group}")) == [house.manga]
    assert ids(http.get("/manga?hasAvailableChapters=false")) == [done]
    assert ids(http.get(f"/manga?ids[]={done.upper()}&ids[]={uuid4()}")) == [done]
    assert ids(http.get("/manga?createdAtSince=2027-01-15T08:00:01")) == []
    assert ids(http.get("/manga?order[title]=asc")) == [done, house.manga]
    assert ids(http.get("/manga?order[title]=desc")) == [house.manga, done]
    assert ids(http.get("/manga")) == [house.manga, done]  # the newest chapters first
    assert len(ids(http.get("/manga?unheard[]=of&order[followedCount]=desc&includes[]=cover_art"))) == 2


def test_windows(house: House, http: httpx2.Client) -> None:
    for number in range(4):
        house.catalog(lambda it, n=number: it.add_group(f"Group {n}"))  # type: ignore[misc]
    everything = ids(http.get("/group?order[name]=asc&limit=100"))
    body = http.get("/group?order[name]=asc&limit=2&offset=1").json()
    assert [item["id"] for item in body["data"]] == everything[1:3]
    assert (body["result"], body["response"], body["limit"], body["offset"], body["total"]) == (
        *("ok", "collection"),
        *(2, 1, 5),
    )
    assert http.get("/group?limit=0").json()["total"] == 5
    assert "offset" in refusal(http.get("/group?limit=100&offset=9901"), 400)
    assert ids(http.get("/group?limit=100&offset=9900")) == []


def test_group_filters(house: House, http: httpx2.Client) -> None:
    polish = house.catalog(lambda it: it.add_group("Grupa", focusedLanguages=["pl", "es-la"]))
    assert ids(http.get("/group?focusedLanguage=pl")) == [polish]
    assert ids(http.get("/group?focusedLanguage=es")) == []
    assert ids(http.get("/group?name=good+gr")) == [house.group]
    assert ids(http.get(f"/group?ids%5B%5D={polish}")) == [polish]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("/manga?limit=101", "limit"),
        ("/manga?limit=", "limit"),
        ("/manga?limit=1.5", "limit"),
        ("/manga?offset=-1", "offset"),
        ("/manga?ids[]=nonsense", "ids[]"),
        ("/manga?status[]=asleep", "status[]"),
        ("/manga?contentRating[]=harmless", "contentRating[]"),
        ("/manga?originalLanguage[]=pt-BR", "originalLanguage[]"),
        ("/manga?createdAtSince=yesterday", "createdAtSince"),
        ("/manga?createdAtSince=2026-02-31T00:00:00", "createdAtSince"),
        ("/manga?createdAtSince=2026-2-3T00:00:00", "createdAtSince"),
        ("/manga?order[title]=up", "order[title]"),
        ("/group?focusedLanguage=english", "focusedLanguage"),
        ("/chapter?manga=1", "manga"),
        ("/chapter?uploader=1", "uploader[]"),
        ("/chapter?includeFutureUpdates=maybe", "includeFutureUpdates"),
        ("/chapter?" + "&".join(f"ids[]={uuid4()}" for _ in range(101)), "ids[]"),
    ],
)
def test_malformed_parameters_are_named(untouched: httpx2.Client, query: str, named: str) -> None:
    assert refusal(untouched.get(query), 400).startswith(f"Error validating {named}: ")


def test_chapter_entity_and_includes(house: House, http: httpx2.Client) -> None:
    chapter = house.add_chapter(house.group, title="Example", volume=None)
    bare = http.get(f"/chapter/{chapter}").json()["data"]
    assert bare["attributes"] == {
        "volume": None,
        "chapter": "1",
        "title": "Example",
        "translatedLanguage": "en",
        "externalUrl": None,
        "isUnavailable": False,
        "publishAt": "2027-01-14T08:00:00+00:00",
        "readableAt": "2027-01-14T08:00:00+00:00",
        "createdAt": "2027-01-14T08:00:00+00:00",
        "updatedAt": "2027-01-14T08:00:00+00:00",
        "pages": 3,
        "version": 1,
    }
    assert bare["relationships"] == [
        {"id": house.group, "type": "scanlation_group"},
        {"id": house.manga, "type": "manga"},
        {"id": house.alice, "type": "user"},
    ]
    query = "includes%5B%5D=user&includes[]=scanlation_group&includes[]=manga&includes[]=tag"
    for answer in (
        http.get(f"/chapter/{chapter}?{query}").json()["data"],
        http.get(f"/chapter?{query}").json()["data"][0],
    ):
        group, manga, user = answer["relationships"]
        assert group["attributes"]["name"] == "Good Group"
        assert manga["attributes"]["title"] == {"en": 'Official "Test" Manga'}
        assert user["attributes"] == {"username": "alice", "roles": ["ROLE_MEMBER"], "version": 1}


def test_finding_duplicates(house: House, http: httpx2.Client) -> None:
    other = house.catalog(lambda it: it.add_group("Other"))
    first = house.add_chapter(house.group, created_at=NOW - 9)
    without = house.add_chapter(created_at=NOW - 8, title="A 100% Title")
    oneshot = house.add_chapter(other, chapter=None, volume=None, created_at=NOW - 7, uploader_id=house.bob)
    french = house.add_chapter(house.group, other, language="fr", created_at=NOW - 6)

    def found(*query: tuple[str, str]) -> list[str]:
        return ids(http.get("/chapter", params=[*query, *ALL_RATINGS]))

    assert found() == [french, oneshot, without, first]
    assert found(("manga", house.manga), ("translatedLanguage[]", "en"), ("chapter[]", "1")) == [without, first]
    assert found(("groups[]", house.group), ("translatedLanguage[]", "en")) == [first]
    assert found(("groups[]", house.group), ("groups[]", other)) == [french, oneshot, first]
    assert found(("chapter[]", "none")) == [oneshot]
    assert found(("volume[]", "none"), ("volume[]", "1")) == [french, oneshot, without, first]
    assert found(("volume[]", "1"), ("chapter[]", "2")) == found(("volume", "1"), ("chapter", "2")) == []
    assert found(("chapter", "none")) == [oneshot]
    assert found(("uploader", house.bob)) == found(("uploader[]", house.bob)) == [oneshot]
    assert found(("uploader[]", house.bob), ("uploader", house.alice)) == [french, oneshot, without, first]
    assert found(("excludedUploaders[]", house.alice)) == [oneshot]
    assert found(("excludedGroups[]", other)) == [without, first]
    assert found(("title", "100% t")) == [without]
    assert found(("ids[]", first), ("ids[]", french)) == [french, first]
    assert found(("originalLanguage[]", "ja")) == found(("excludedOriginalLanguage[]", "ko")) == []
    assert found(("createdAtSince", "2027-01-15T07:59:53")) == [french, oneshot]
    assert found(("manga", str(uuid4()))) == []


def test_adult_chapters_need_the_rating(house: House, http: httpx2.Client) -> None:
    adult = house.catalog(lambda it: it.add_manga("Adult", content_rating="pornographic"))
    chapter = house.add_chapter(manga_id=adult)
    assert ids(http.get(f"/chapter?manga={adult}")) == ids(http.get(f"/manga/{adult}/feed")) == []
    assert ids(http.get(f"/chapter?manga={adult}&contentRating[]=pornographic")) == [chapter]


def test_switches(house: House, http: httpx2.Client) -> None:
    plain = house.add_chapter(created_at=NOW - 4)
    link = house.add_chapter(external_url="https://example.org", page_count=0, created_at=NOW - 3)
    early_link = house.add_chapter(external_url="https://example.org", publish_at=NOW + DAY, created_at=NOW - 2)
    for query, expected in {
        "": [early_link, link, plain],
        "includeFutureUpdates=1": [early_link, link, plain],
        "includeFutureUpdates=0": [link, plain],
        "includeFuturePublishAt=0": [link, plain],
        "includeFuturePublishAt=1": [early_link],
        "includeEmptyPages=0": [early_link, plain],
        "includeEmptyPages=1": [link],
        "includeExternalUrl=0": [plain],
        "includeExternalUrl=1": [early_link, link],
        "includeUnavailable=1": [early_link, link, plain],
    }.items():
        assert ids(http.get(f"/chapter?{query}")) == expected, query
        assert ids(http.get(f"/manga/{house.manga}/feed?{query}")) == expected, query


def test_orders(house: House, http: httpx2.Client) -> None:
    numbers = ["10", "9", "7.5", "7a", "7", None, "10.5"]
    by_number = {number: house.add_chapter(chapter=number) for number in numbers}
    ascending = [by_number[number] for number in ("7", "7a", "7.5", "9", "10", "10.5", None)]
    assert ids(http.get("/chapter?order[chapter]=asc")) == ascending
    assert ids(http.get("/chapter?order[chapter]=desc")) == [*reversed(ascending[:-1]), by_number[None]]
    second = house.add_chapter(volume="2", chapter="1", readable_at=NOW - 5)
    assert ids(http.get("/chapter?order%5Bvolume%5D=desc&order[chapter]=asc")) == [second, *ascending]
    assert ids(http.get("/chapter?order[readableAt]=desc&limit=1")) == [second]


STATES: dict[str, dict[str, Any]] = {
    "just committed": {"readable_at": None, "page_count": 0},
    "waiting for approval": {"approved": False},
    "broken": {"readable_at": None, "broken_reason": "page 2 is damaged"},
    "before its time": {"publish_at": NOW + DAY, "readable_at": NOW + DAY},
}


@pytest.mark.parametrize("state", STATES)
def test_only_its_own_people_see_an_unreadable_chapter(house: House, http: httpx2.Client, state: str) -> None:
    chapter = house.add_chapter(house.group, **STATES[state])
    for headers, sees in (
        (signed(house.alice), True),
        (signed(house.bob), True),
        (signed(house.mallory), False),
        ({}, False),
    ):
        one = http.get(f"/chapter/{chapter}", headers=headers)
        assert one.status_code == (200 if sees else 404)
        assert ids(http.get(f"/chapter?uploader={house.alice}", headers=headers)) == [chapter] * sees
        assert ids(http.get(f"/manga/{house.manga}/feed", headers=headers)) == [chapter] * sees
        volumes = http.get(f"/manga/{house.manga}/aggregate", headers=headers).json()["volumes"]
        assert bool(volumes) is sees


def test_a_chapter_opens_at_its_time(house: House, http: httpx2.Client) -> None:
    chapter = house.add_chapter(**STATES["before its time"])
    assert http.get(f"/chapter/{chapter}").status_code == 404
    house.now = NOW + DAY
    assert http.get(f"/chapter/{chapter}").status_code == 200


def test_feed_has_wider_limits(house: House, http: httpx2.Client) -> None:
    chapter = house.add_chapter()
    house.add_chapter(manga_id=house.catalog(lambda it: it.add_manga("Other")))
    body = http.get(f"/manga/{house.manga}/feed").json()
    assert ([item["id"] for item in body["data"]], body["limit"], body["total"]) == ([chapter], 100, 1)
    assert ids(http.get(f"/manga/{house.manga}/feed?limit=500")) == [chapter]
    for limit in ("0", "501"):
        assert "limit" in refusal(http.get(f"/manga/{house.manga}/feed?limit={limit}"), 400)


def test_aggregate(house: House, http: httpx2.Client) -> None:
    assert http.get(f"/manga/{house.manga}/aggregate").json() == {"result": "ok", "volumes": {}}
    first = house.add_chapter(house.group, chapter="2", created_at=NOW - 9)
    again = house.add_chapter(chapter="2", language="fr", created_at=NOW - 8)
    oneshot = house.add_chapter(chapter=None, volume=None)
    second = {"chapter": "2", "id": first, "others": [again], "count": 2}
    single = {"chapter": "none", "id": oneshot, "others": [], "count": 1}
    assert http.get(f"/manga/{house.manga}/aggregate").json()["volumes"] == {
        "1": {"volume": "1", "count": 2, "chapters": {"2": second}},
        "none": {"volume": "none", "count": 1, "chapters": {"none": single}},
    }
    french = http.get(f"/manga/{house.manga}/aggregate?translatedLanguage[]=fr").json()["volumes"]
    assert french["1"]["chapters"]["2"]["id"] == again
    of_group = http.get(f"/manga/{house.manga}/aggregate?groups[]={house.group}").json()["volumes"]
    assert list(of_group) == ["1"]
    assert of_group["1"]["count"] == 1


def edit(http: httpx2.Client, chapter_id: str, user_id: str, **change: Any) -> httpx2.Response:
    return http.put(f"/chapter/{chapter_id}", json={"version": 1} | change, headers=signed(user_id))


def test_edit_changes_what_is_given(house: House, http: httpx2.Client) -> None:
    chapter = house.add_chapter(house.group, title="Old", volume="3")
    house.now = NOW + 60
    data = edit(http, chapter, house.alice, title="New", chapter="5.5").json()["data"]
    attributes = data["attributes"]
    assert [attributes[key] for key in ("title", "volume", "chapter", "version")] == ["New", "3", "5.5", 2]
    assert attributes["updatedAt"] == "2027-01-15T08:01:00+00:00"
    assert data["relationships"][0] == {"id": house.group, "type": "scanlation_group"}
    data = edit(http, chapter, house.alice, version=2, title=None, volume="", translatedLanguage="pt-br").json()["data"]
    attributes = data["attributes"]
    assert [attributes[key] for key in ("title", "volume", "chapter", "translatedLanguage")] == [
        None,
        None,
        "5.5",
        "pt-br",
    ]
    assert http.get(f"/chapter/{chapter}").json()["data"] == data


def test_edit_replaces_groups_in_order(house: House, http: httpx2.Client) -> None:
    other, third = (house.catalog(lambda it, n=n: it.add_group(n)) for n in ("B", "C"))  # type: ignore[misc]
    chapter = house.add_chapter(house.group)
    data = edit(http, chapter, house.bob, groups=[third, other.upper(), third]).json()["data"]
    assert [item["id"] for item in data["relationships"] if item["type"] == "scanlation_group"] == [third, other]
    assert refusal(edit(http, chapter, house.bob, version=2), 403)  # none of his groups is credited any more
    data = edit(http, chapter, house.alice, version=2, groups=[]).json()["data"]
    assert [item["type"] for item in data["relationships"]] == ["manga", "user"]


def test_stale_edits_change_nothing(house: House, http: httpx2.Client) -> None:
    chapter = house.add_chapter(house.group)
    assert edit(http, chapter, house.alice, title="First").status_code == 200
    assert "version" in refusal(edit(http, chapter, house.bob, title="Second", groups=[]), 409)
    data = http.get(f"/chapter/{chapter}").json()["data"]
    assert (data["attributes"]["title"], data["relationships"][0]["id"]) == ("First", house.group)


def test_edits_of_others_are_refused(house: House, http: httpx2.Client) -> None:
    chapter, hidden = house.add_chapter(), house.add_chapter(readable_at=None)
    assert refusal(edit(http, chapter, house.mallory, title="Mine"), 403)
    assert refusal(edit(http, hidden, house.mallory, title="Mine"), 404)
    assert refusal(edit(http, str(uuid4()), house.mallory, title="Mine"), 404)
    assert refusal(http.delete(f"/chapter/{chapter}", headers=signed(house.mallory)), 403)
    assert refusal(http.delete(f"/chapter/{hidden}", headers=signed(house.mallory)), 404)
    for answer in (http.put(f"/chapter/{chapter}", json={"version": 1}), http.delete(f"/chapter/{chapter}")):
        assert refusal(answer, 401)
    assert ids(http.get("/chapter")) == [chapter]


def test_locked_groups_are_for_their_members(house: House, http: httpx2.Client) -> None:
    locked = house.catalog(lambda it: it.add_group("Closed", locked=True))
    house.catalog(lambda it: it.add_member(locked, "bob"))
    house.catalog(lambda it: it.add_member(locked, "bob"))
    chapter = house.add_chapter(house.group)
    assert locked in refusal(edit(http, chapter, house.alice, groups=[locked]), 403)
    assert edit(http, chapter, house.bob, groups=[locked]).status_code == 200
    assert edit(http, chapter, house.alice, version=2, groups=[locked], title="Kept").status_code == 200
    unknown = str(uuid4())
    assert unknown in refusal(edit(http, chapter, house.alice, version=3, groups=[unknown]), 404)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"title": "x"}, "/version"),
        ({"version": None}, "/version"),
        ({"version": 1, "chapter": "01"}, "/chapter"),
        ({"version": 1, "volume": "1\n"}, "/volume"),
        ({"version": 1, "title": "x" * 256}, "/title"),
        ({"version": 1, "translatedLanguage": "pt-BR"}, "/translatedLanguage"),
        ({"version": 1, "groups": ["short"]}, "/groups"),
        ({"version": 1, "groups": [str(uuid4()) for _ in range(11)]}, "/groups"),
        ({"version": 1, "publishAt": None}, "/publishAt"),
        (["version"], "/"),
    ],
)
def test_bad_edits_name_the_field(house: House, http: httpx2.Client, body: Any, named: str) -> None:
    chapter = house.add_chapter(title="Kept")
    answer = http.put(f"/chapter/{chapter}", json=body, headers=signed(house.alice))
    assert refusal(answer, 400).startswith(f"Error validating {named}")
    assert http.get(f"/chapter/{chapter}").json()["data"]["attributes"]["title"] == "Kept"


def test_edit_bodies_are_limited(house: House, http: httpx2.Client) -> None:
    chapter = house.add_chapter()
    body = b'{"version": 1}' + b" " * 4096
    for content in (body, iter([body[:3000], body[3000:]])):
        assert refusal(http.put(f"/chapter/{chapter}", content=content, headers=signed(house.alice)), 413)
    assert edit(http, chapter, house.alice).status_code == 200


def test_delete_takes_everything_with_it(house: House, http: httpx2.Client) -> None:
    chapter, kept = house.add_chapter(house.group), house.add_chapter()
    session = str(uuid4())
    times = {"created_at": NOW, "updated_at": NOW}
    image = {"blob": "a" * 64, "size_bytes": 1, "mime_type": "image/png", "width": 1, "height": 1}

    async def add_rest(database: Database) -> None:
        async with database.write() as connection:
            about = {"chapter_id": chapter, "manga_id": house.manga, "user_id": house.alice, "state": "processed"}
            await connection.execute(insert(sessions).values(id=session, **about, **times))
            await connection.execute(
                insert(pages).values(chapter_id=chapter, position=0, original_file_name="", **image)
            )
            job = {"id": str(uuid4()), "kind": "process", "chapter_id": chapter, "session_id": session, "due_at": NOW}
            await connection.execute(insert(jobs).values(job))

    async def left(database: Database) -> list[str]:
        async with database.read() as connection:
            tables = (pages, jobs, sessions, chapter_groups)
            return [table.name for table in tables if list(await connection.execute(select(table)))]

    house.run(add_rest)
    assert len(house.run(left)) == 4
    assert http.delete(f"/chapter/{chapter}", headers=signed(house.bob)).json() == {"result": "ok"}
    assert house.run(left) == []
    assert ids(http.get("/chapter")) == [kept]
    assert refusal(http.delete(f"/chapter/{chapter}", headers=signed(house.bob)), 404)


def test_another_language_may_need_approval_again(tmp_path: Path) -> None:
    house = House(tmp_path, approval="first")
    chapter = house.add_chapter()
    with Served(house.app()) as http:
        assert edit(http, chapter, house.alice, translatedLanguage="fr").status_code == 200
        assert http.get(f"/chapter/{chapter}").status_code == 404
        house.add_chapter(language="pl")
        moved = house.add_chapter()
        assert edit(http, moved, house.alice, translatedLanguage="pl").status_code == 200
        assert http.get(f"/chapter/{moved}").status_code == 200


def test_adding_refuses_what_is_there_and_members_who_are_not(house: House) -> None:
    with pytest.raises(InConflict):
        house.catalog(lambda it: it.add_manga("Again", id=house.manga.upper()))
    for group, name in ((house.group, "nobody"), (str(uuid4()), "alice")):
        with pytest.raises(NotFound):
            house.catalog(lambda it, g=group, n=name: it.add_member(g, n))  # type: ignore[misc]


def test_the_document_lists_the_parameters(house: House) -> None:
    paths = house.app().openapi()["paths"]
    listed = {entry["name"]: entry for entry in paths["/chapter"]["get"]["parameters"]}
    assert {"manga", "groups[]", "uploader", "uploader[]", "order[createdAt]", "includes[]", "limit"} <= set(listed)
    assert listed["ids[]"]["schema"] == {
        "type": "array",
        "items": {"type": "string", "format": "uuid"},
        "maxItems": 100,
    }
    searched = {entry["name"] for entry in paths["/manga"]["get"]["parameters"]}
    assert {"title", "authors[]", "includedTags[]", "availableTranslatedLanguage[]"} <= searched
    assert paths["/manga/{manga_id}/feed"]["get"]["parameters"][0]["name"] == "manga_id"
