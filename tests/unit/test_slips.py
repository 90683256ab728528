"""A slip in a plain word is no subject that is missing; a name one letter away from a word is."""

from __future__ import annotations

import pytest

from tutor.answering.slips import is_slip
from tutor.retrieval.encoder import OnnxEncoder


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder()


@pytest.mark.parametrize(
    "typed",
    "wht whta teh hwo whn adn shoud shuold explian expalin betwen differnce diference advantges usually seperate "
    "occured begining writting bckground recieve togethar".split(),
)
def test_slips_of_typists(encoder: OnnxEncoder, typed: str) -> None:
    assert encoder.is_word(typed) or is_slip(typed, encoder.is_word)


@pytest.mark.parametrize(
    "name",
    "dbt sns nft iot zfs nfs npm vim wasm deno vite nuxt trino prisma linkerd fluentd containerd systemd vitess "
    "couchdb clickhouse cython jquery pulumi argocd kubectl minio knative graphql cockroachdb scylladb kuma nats "
    "dagster keydb rocksdb tikv etcd podman nginx envoy istio".split(),
)
def test_names_stay_subjects(encoder: OnnxEncoder, name: str) -> None:
    assert not is_slip(name, encoder.is_word)


@pytest.mark.parametrize("text", ["", "a", "wh", "k8s", "c++", "what's", "é" * 4])
def test_what_is_no_word_is_no_slip(text: str) -> None:
    assert not is_slip(text, lambda word: True)
