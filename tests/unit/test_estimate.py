"""A drill's figures follow from what is given, and an answer's figures are found by their words, units and sums."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import pytest

from tutor.drill.estimate import Checked, assumptions, check
from tutor.drill.scenarios import PEAK, Scenario, scenario
from tutor.quantities.numbers import quantities
from tutor.quantities.units import written

DRILLS = {(s.title, any(w.assumption for w in s.quantities)): s for s in map(scenario, range(300))}


def middle(drill: Scenario) -> dict[str, float]:
    """What a learner would answer: the middle of each range, on a logarithmic scale."""
    return {w.id: math.sqrt(w.low * w.high) for w in drill.quantities}


def notes(drill: Scenario, off: Mapping[str, float] | None = None) -> str:
    """An answer in notes, its figures ``off`` by factors."""
    lines = []
    for w in drill.quantities:
        value = middle(drill)[w.id] * (off or {}).get(w.id, 1)
        lines.append(f"{w.label.capitalize()}: {written(value, w.dimension, w.per)}")
    return "\n".join(lines)


def by_id(verdicts: list[Checked]) -> dict[str, Checked]:
    return {v.id: v for v in verdicts}


#: An answer's wording, for drills with reads and writes; {write} and {read} are their names.
STYLES = {
    "prose": (
        "On average that's {writes} {write} a second and {reads} {read} a second, peaking at {peak} a second. We store "
        "{daily} a day, {storage} over the whole retention with copies. Bandwidth is {ingress} in and {egress} out at "
        "peak. That takes {servers} servers."
    ),
    "equations": (
        "Write QPS = {writes}\nRead QPS = {reads}\nPeak QPS = {peak}\nStorage/day = {daily}\nTotal storage = "
        "{storage}\nIngress = {ingress}\nEgress = {egress}\nServers = {servers}"
    ),
    "terse": (
        "{write}: {writes} rps avg; {read}: {reads} rps avg; peak {peak} rps. disk: {daily}/day -> {storage} incl. "
        "replicas. net in {ingress}, out {egress}. {servers} boxes"
    ),
    "talk": (
        "so we get about {writes} {write} per second. for {read} it's {reads} per second on average, and I'd say "
        "{peak} in the busiest hour. that means {daily} of new data per day, and in total, with retention and "
        "replication, {storage}. inbound traffic is {ingress}, and at peak we send {egress} outbound. so I'd provision "
        "{servers} machines, roughly."
    ),
    "bullets": (
        "- avg writes: {writes}/s\n- avg reads: {reads}/s\n- peak: {peak}/s (x3)\n- storage: {daily}/day, {storage} "
        "total\n- bandwidth: {ingress} in / {egress} out\n- {servers} instances"
    ),
}


@pytest.fixture
def feed() -> Scenario:
    """200 million people post once and load 30 feeds of 50 kB a day; the peak factor is the learner's."""
    return next(
        s
        for s in map(scenario, range(5000))
        if s.title == "a news feed" and s.given[:5] == (200e6, 1, 30, 1e3, 50e3) and s.given[5:8] == (1095, 3, 1000)
        and s.quantities[2].assumption
    )  # fmt: skip


def test_a_seed_makes_the_same_drill_and_there_are_many() -> None:
    assert scenario(7) == scenario(7)
    assert len({title for title, _ in DRILLS}) >= 6
    assert len({scenario(n).ask for n in range(100)}) > 90


@pytest.mark.parametrize(
    "drill", DRILLS.values(), ids=[f"{title}, peak {'open' if o else 'given'}" for title, o in DRILLS]
)
def test_the_figures_of_a_drill_hang_together(drill: Scenario) -> None:
    assert Scenario.model_validate_json(drill.model_dump_json()) == drill
    wanted = {w.id: w for w in drill.quantities}
    people, writes, reads, size, page, days, copies, capacity, period_s, tokens, *_ = drill.given
    assert wanted["writes"].low == pytest.approx(people * writes / period_s)
    assert wanted["storage_day"].low == pytest.approx(people * writes / period_s * size)
    assert wanted["storage"].low == pytest.approx(people * writes / period_s * 86_400 * days * size * copies)
    base = wanted["reads" if reads else "writes"]
    factors = (wanted["peak"].low / base.low, wanted["peak"].high / base.low)
    assert factors == pytest.approx(PEAK) if wanted["peak"].assumption else factors[0] == pytest.approx(factors[1])
    served = {"egress": page, "tokens": tokens}
    for id, each in served.items():
        assert (id in wanted) == bool(each) and (
            not each or wanted[id].high == pytest.approx(wanted["peak"].high * each)
        )
    assert wanted["servers"].low * capacity in [pytest.approx(w.low) for w in drill.quantities]
    for w in drill.quantities:
        shown = quantities(w.formula)[-1]
        assert shown.dimension == w.dimension and shown.value == pytest.approx(w.high, rel=0.01)
        assert w.label in drill.ask and set(w.rests_on) <= set(wanted)


@pytest.mark.parametrize(
    "drill", DRILLS.values(), ids=[f"{title}, peak {'open' if o else 'given'}" for title, o in DRILLS]
)
def test_labelled_figures_are_found_and_right(drill: Scenario) -> None:
    answer = notes(drill)
    verdicts = check(drill, answer)
    assert [(v.id, v.status) for v in verdicts] == [(w.id, "right") for w in drill.quantities]
    assert all(answer[v.start : v.end] == v.quote and v.quote for v in verdicts)
    assert len({v.start for v in verdicts}) == len(verdicts)


@pytest.mark.parametrize(
    "drill", DRILLS.values(), ids=[f"{title}, peak {'open' if o else 'given'}" for title, o in DRILLS]
)
def test_an_early_slip_is_carried_not_punished_again(drill: Scenario) -> None:
    verdicts = by_id(check(drill, notes(drill, {"writes": 10, "storage_day": 10, "storage": 10, "ingress": 10})))
    assert verdicts["writes"].status == "wrong" and "10 times too high" in verdicts["writes"].explanation
    assert [verdicts[id].status for id in ("storage_day", "storage", "ingress")] == ["carried"] * 3
    assert "given your average" in verdicts["storage_day"].explanation


@pytest.mark.parametrize(
    ("id", "factor", "status", "slip"),
    [
        ("ingress", 8, "wrong", "bits for bytes (8)"),
        ("egress", 1 / 8, "wrong", "bits for bytes (8)"),
        ("storage", 1 / 3, "order", "the copies (3)"),
        ("storage_day", 3, "order", "the copies (3)"),
        ("reads", 86_400, "wrong", "days for seconds (86,400)"),
        ("writes", 60, "wrong", "minutes for seconds (60)"),
        ("reads", 1 / 3600, "wrong", "hours for seconds (3,600)"),
        ("storage_day", 1000, "wrong", "a prefix, as kilo for mega"),
        ("storage", 1 / 1024, "wrong", "a prefix, as kilo for mega"),
        ("writes", 2, "order", ""),
        ("writes", 40, "wrong", ""),
        ("writes", 1.25, "right", ""),
    ],
)
def test_a_slip_is_named(feed: Scenario, id: str, factor: float, status: str, slip: str) -> None:
    verdict = by_id(check(feed, notes(feed, {id: factor})))[id]
    assert (verdict.status, verdict.slip) == (status, slip), verdict
    assert slip.partition(" (")[0] in verdict.explanation


def test_the_average_for_the_peak_is_named(feed: Scenario) -> None:
    answer = "We see 69,400 feed loads per second on average. Peak: 69,400 feed loads per second. So 69 servers."
    verdicts = by_id(check(feed, answer))
    assert verdicts["reads"].status == "right"
    assert (verdicts["peak"].status, verdicts["peak"].slip) == ("order", "the peak factor")
    assert verdicts["servers"].status == "carried"


def test_sums_in_notes(feed: Scenario) -> None:
    answer = """Writes: 200M x 1 / 86,400 = 2,315/s, so ~2.3k/s.
Feed loads 30x that: 2,315 × 30 = 69k/s
Peak ~3x -> 210k/s
Storage: 200M × 1 KB = 200 GB a day; over 3 years that's 220 TB, times 3 copies is 660 TB.
In: 2.3 MB/s, out: 210k × 50 KB = 10.5 GB/s
210k / 1000 = 210 machines."""
    verdicts = check(feed, answer)
    assert {v.status for v in verdicts} == {"right"}, verdicts
    assert by_id(verdicts)["storage"].quote == "660 TB"


def test_sums_in_speech(feed: Scenario) -> None:
    answer = (
        "okay so two hundred million users times one post that's two hundred million posts a day, over a hundred "
        "thousand seconds that's about two thousand posts a second. reads are thirty times that so sixty thousand feed "
        "loads a second. say the peak is four times the average, two hundred and forty thousand a second. each post is "
        "a kilobyte so two hundred gigabytes a day, times eleven hundred days times three copies is about six hundred "
        "and sixty terabytes. inbound is two megabytes a second which is nothing, outbound is two hundred and forty "
        "thousand times fifty kilobytes, twelve gigabytes a second or ninety-six gigabits. at a thousand a server I "
        "need two hundred and forty servers."
    )
    verdicts = check(feed, answer)
    assert {v.status for v in verdicts} == {"right"}, verdicts


@pytest.mark.parametrize("style", STYLES)
def test_figures_are_found_in_any_wording(style: str) -> None:
    drills = [s for s in DRILLS.values() if {"reads", "egress"} <= {w.id for w in s.quantities}]
    assert len(drills) >= 8
    for drill in drills:
        labels = {w.id: w.label.removeprefix("average ").removesuffix(" per second") for w in drill.quantities}
        plain = {id: written(value) for id, value in middle(drill).items()}
        bytes_a_day = middle(drill)["storage_day"] * 86_400
        said = {id: written(middle(drill)[id], "data/time") for id in ("ingress", "egress")}
        said |= {"daily": written(bytes_a_day, "data"), "storage": written(middle(drill)["storage"], "data")}
        answer = STYLES[style].format(**plain | said, write=labels["writes"], read=labels["reads"])
        assert [(v.id, v.status) for v in check(drill, answer)] == [(w.id, "right") for w in drill.quantities], answer


def test_a_peak_factor_of_ones_own_is_followed(feed: Scenario) -> None:
    answer = (
        "I assume a peak factor of 10. Posts: 2,300/s. Reads are 70k/s on average and 700k/s at peak, so 700 servers, "
        "and 35 GB/s out."
    )
    verdicts = by_id(check(feed, answer))
    assert [verdicts[id].status for id in ("peak", "egress", "servers")] == ["carried"] * 3
    assert "peak factor of 10" in verdicts["peak"].explanation
    unsaid = by_id(check(feed, answer.replace("I assume a peak factor of 10. ", "")))
    assert unsaid["peak"].status == "order"


def test_words_outweigh_a_number_that_happens_to_match(feed: Scenario) -> None:
    verdicts = by_id(check(feed, "Average posts per second: 69,400/s. Average feed loads per second: 2,310/s."))
    assert verdicts["writes"].quote == "69,400/s" and verdicts["writes"].status == "wrong"
    assert verdicts["reads"].quote == "2,310/s" and verdicts["reads"].status == "wrong"


def test_a_figure_counts_once(feed: Scenario) -> None:
    verdicts = check(feed, "That is 69,400 feed loads per second.")
    assert [v.id for v in verdicts if v.status != "missing"] == ["reads"]


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "0 posts per second on 0 servers",
        "I'd cache hot posts in a CDN and keep 3 replicas.",
        "200 million posts a day",
    ],
)
def test_no_figure_is_missing_with_the_sum_shown(feed: Scenario, answer: str) -> None:
    verdicts = check(feed, answer)
    assert {v.status for v in verdicts} == {"missing"}
    assert verdicts[0].explanation.endswith("200 million × 1 / 86,400 s = 2,310/s.") and not verdicts[0].quote


def test_the_question_handed_back_holds_no_figures() -> None:
    for drill in DRILLS.values():
        assert {v.status for v in check(drill, drill.ask)} == {"missing"}, drill.ask


def test_a_long_answer_is_checked_in_time(feed: Scenario) -> None:
    began = time.process_time()
    check(feed, "peak reads of 7,000/s and 5 GB a day, " * 500)
    assert time.process_time() - began < 20


def test_assumptions_are_the_sentences_that_say_so() -> None:
    answer = (
        "Let's take 100 million users. They post twice a day. I'd guess a peak of 3x. Roughly a kilobyte each. "
        "As they say, it depends. Given that reads dominate, cache. We assume 3 copies. Say 10 servers."
    )
    found = [answer[a:b] for a, b in assumptions(answer)]
    assert [text.split()[0] for text in found] == ["Let's", "I'd", "Roughly", "Given", "We", "Say"]


def verdicts(seed: int, answer: str) -> dict[str, tuple[str, str]]:
    """Status and quote of what is not missing."""
    return {v.id: (v.status, v.quote) for v in check(scenario(seed), answer) if v.status != "missing"}


def test_a_power_of_ten_before_bytes_is_no_number_of_billions() -> None:
    for said in ("8*10^11 B/day", "8 × 10¹¹ B a day", "8e11 B/day"):
        assert verdicts(1, f"storage {said}") == {"storage_day": ("right", said)}
    assert quantities("7B parameters")[0].value == 7e9


@pytest.mark.parametrize(
    "said", ["peak 174/s with a factor of 3", "peak 3x the average: 174/s", "peak factor 3, so 174/s"]
)
def test_a_stated_peak_factor_is_a_named_assumption(said: str) -> None:
    assert assumptions(said)
    assert verdicts(2, said)["peak"][0] == "right"


def test_a_figure_that_is_taken_back_does_not_count() -> None:
    found = verdicts(1, "writes 46k/s, no, sorry, 23k/s, reads 231k/s")
    assert found == {"writes": ("order", "23k/s"), "reads": ("right", "231k/s")}
    assert verdicts(1, "writes 23k/s. Wait, it's 46k/s.") == {"writes": ("right", "46k/s")}
    assert verdicts(1, "reads 231k/s, no more than 70 servers")["reads"] == ("right", "231k/s")


def test_two_figures_for_one_are_none() -> None:
    assert verdicts(1, "70 servers, or maybe 7,000 servers") == {}
    told = by_id(check(scenario(1), "70 servers, or maybe 7,000 servers"))["servers"]
    assert told.explanation.startswith("Two figures for it, 70 and 7,000: choose one.")
    assert verdicts(1, "70 or 80 servers")["servers"][0] == "right"


@pytest.mark.parametrize(
    "said",
    [
        "200 million users, each with 20 messages, kept for 5 years in 3 copies. 10,000 per second, 3 times.",
        "20 sent messages of 200 B, 100 delivered of 1 kB; it handles 10,000 delivered messages a second.",
    ],
)
def test_the_task_said_again_is_no_answer(said: str) -> None:
    assert verdicts(1, said) == {}


def test_a_label_belongs_to_the_figure_behind_it() -> None:
    found = verdicts(1, "writes 4.6k/s (46 hundred), then reads 23k/s, peak 69k/s")
    assert {id: quote for id, (_, quote) in found.items()} == {"writes": "4.6k/s", "reads": "23k/s", "peak": "69k/s"}
