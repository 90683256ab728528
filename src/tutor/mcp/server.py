"""The protocol over the tools, with the official SDK: one handler for each request, and our errors in its words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from anyio.to_thread import run_sync

from tutor.errors import MissingExtra, NotFound, TutorError, UsageError
from tutor.mcp.opening import Opening
from tutor.mcp.prompts import fill, find_prompt, listed
from tutor.mcp.tools import TOOLS, URI, find_document, read_document
from tutor.web.core import Core
from tutor.web.errors import told

try:
    import mcp_types as types
    from mcp.server.lowlevel import Server
    from mcp.shared.exceptions import MCPError
except ImportError as error:
    raise MissingExtra("tutor mcp", extra="mcp", module="mcp") from error

T = TypeVar("T")
_PAGE = 100  # resources in a list
_MOST_CHARS = 200_000  # of a resource: longer documents are read in parts, with the tool card
_INSTRUCTIONS = (
    "A study curriculum for senior, staff and architect interviews. Prefer ask for questions: it quotes and cites, and "
    "says when it does not know. Use search and card to read more."
)


def build(opening: Opening, *, allow_drills: bool = False) -> Server[Any]:
    """The server.

    Args:
        opening: gives the core.
        allow_drills: offer the tools that write to the learner's store; without it the server only reads.
    """
    handlers = _Handlers(opening, allow_drills=allow_drills)
    try:
        installed = version("tutor-study")
    except PackageNotFoundError:
        installed = "0"
    return Server(
        "tutor",
        version=installed,
        title="tutor",
        instructions=_INSTRUCTIONS,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
        on_completion=handlers.complete,
    )


class _Handlers:
    """One method for each request; the core is used in worker threads."""

    def __init__(self, opening: Opening, *, allow_drills: bool) -> None:
        self._opening = opening
        self._drills = allow_drills
        self._tools = {spec.name: spec for spec in TOOLS}

    async def _use(self, work: Callable[[Core], T]) -> T:
        return await run_sync(lambda: work(self._opening.core()), abandon_on_cancel=True)

    async def list_tools(self, _: Any, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        """The tools that may be called."""
        tools = [
            types.Tool(
                name=spec.name,
                title=spec.title,
                description=spec.description,
                input_schema=spec.takes.model_json_schema(),
                output_schema=spec.gives.model_json_schema(mode="serialization"),
                annotations=types.ToolAnnotations(
                    title=spec.title,
                    read_only_hint=not spec.writes,
                    destructive_hint=False,
                    idempotent_hint=not spec.writes,
                    open_world_hint=False,
                ),
            )
            for spec in TOOLS
            if self._drills or not spec.writes
        ]
        return types.ListToolsResult(tools=tools)

    async def call_tool(self, _: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        """Run a tool. What goes wrong inside is its result, for the model to read; only an unknown name is an error."""
        spec = self._tools.get(params.name)
        if spec is None:
            known = ", ".join(name for name, tool in self._tools.items() if self._drills or not tool.writes)
            raise _refusal(NotFound("no tool is called so", about=params.name[:80], fix=f"Known: {known}."))
        try:
            if spec.writes and not self._drills:
                raise UsageError(
                    "this server only reads; drills keep answers and results",
                    about=spec.name,
                    fix="Start it with: tutor mcp --allow-drills",
                )
            done = await self._use(partial(spec.call, arguments=params.arguments or {}))
        except Exception as error:  # noqa: BLE001  told() logs what nobody expected
            text = told(error).message
            return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=done.text)], structured_content=done.data
        )

    async def list_resources(self, _: Any, params: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
        """The cards, a page at a time."""
        cursor = params.cursor if params and params.cursor else "0"
        if not (cursor.isdecimal() and len(cursor) < 10):
            raise MCPError(code=types.INVALID_PARAMS, message="cursor: it is none that this server gave")
        at = int(cursor)
        documents = await self._told(lambda core: [d for d in core.documents() if d["kind"] == "card"])
        page = [
            types.Resource(
                uri=_uri(d["doc_id"]),
                name=d["doc_id"],
                title=d["title"],
                description=" · ".join(str(d["meta"][k]) for k in ("section", "depth") if d["meta"].get(k)) or None,
                mime_type="text/markdown",
            )
            for d in documents[at : at + _PAGE]
        ]
        more = str(at + _PAGE) if at + _PAGE < len(documents) else None
        return types.ListResourcesResult(resources=page, next_cursor=more)

    async def list_templates(
        self, _: Any, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        """The address of any card or document."""
        template = types.ResourceTemplate(
            uri_template=f"{URI}{{id}}",
            name="card",
            title="A card or document by its id",
            description="The whole text in Markdown; ids are those that search gives.",
            mime_type="text/markdown",
        )
        return types.ListResourceTemplatesResult(resource_templates=[template])

    async def read_resource(self, _: Any, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        """A document's text, by an id of the index and nothing else."""
        uri = params.uri
        if not uri.startswith(URI):
            raise _refusal(NotFound("there is no such resource", about=uri[:80], fix=f"Addresses are {URI}ID."), uri)
        found = await self._told(partial(read_document, doc_id=unquote(uri.removeprefix(URI))), uri)
        text = found["text"]
        if len(text) > _MOST_CHARS:
            long = UsageError(f"the document has {len(text):,} characters", fix="Read it in parts with the tool card.")
            raise _refusal(long, uri)
        contents = types.TextResourceContents(uri=uri, mime_type="text/markdown", text=text)
        return types.ReadResourceResult(contents=[contents])

    async def list_prompts(self, _: Any, params: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        """The prompts."""
        prompts = [
            types.Prompt(
                name=spec.name,
                title=spec.title,
                description=spec.description,
                arguments=[
                    types.PromptArgument(name=name, description=about, required=required)
                    for name, about, required in spec.arguments
                ],
            )
            for spec in listed(drills=self._drills)
        ]
        return types.ListPromptsResult(prompts=prompts)

    async def get_prompt(self, _: Any, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        """A prompt, filled in; the card that it speaks of goes along."""
        try:
            spec = find_prompt(params.name, drills=self._drills)
            given = params.arguments or {}
            text = fill(spec, given)
        except TutorError as error:
            raise _refusal(error) from error
        messages = [types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))]
        if spec.card:
            card = await self._told(lambda core: find_document(core, given[spec.card]))
            body = types.TextResourceContents(
                uri=_uri(card["doc_id"]), mime_type="text/markdown", text=card["text"][:_MOST_CHARS]
            )
            content = types.EmbeddedResource(type="resource", resource=body)
            messages.append(types.PromptMessage(role="user", content=content))
        return types.GetPromptResult(description=spec.description, messages=messages)

    async def complete(self, _: Any, params: types.CompleteRequestParams) -> types.CompleteResult:
        """Ids of cards that begin as what was typed."""
        typed = params.argument.value.casefold()
        if params.argument.name not in ("id", "card", "topic"):
            return types.CompleteResult(completion=types.Completion(values=[]))
        ids = await self._told(lambda core: [d["doc_id"] for d in core.documents() if d["kind"] == "card"])
        found = sorted(name for name in ids if name.startswith(typed))
        completion = types.Completion(values=found[:_PAGE], total=len(found), has_more=len(found) > _PAGE)
        return types.CompleteResult(completion=completion)

    async def _told(self, work: Callable[[Core], T], uri: str = "") -> T:
        """What ``work`` gives, or an error of the protocol in our words."""
        try:
            return await self._use(work)
        except Exception as error:
            raise _refusal(told(error), uri) from error


def _uri(doc_id: str) -> str:
    return URI + quote(doc_id, safe="/")


def _refusal(error: TutorError, uri: str = "") -> MCPError:
    """One of our errors as an error of the protocol: what is asked wrongly, or what is broken here."""
    asked = isinstance(error, (NotFound, UsageError))
    code = types.INVALID_PARAMS if asked else types.INTERNAL_ERROR
    return MCPError(code=code, message=error.message, data={"uri": uri} if uri else None)
