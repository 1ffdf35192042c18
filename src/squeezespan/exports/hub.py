"""The Hugging Face hub: whose token it takes, and the one upload."""

import re
from dataclasses import dataclass
from pathlib import Path

from squeezespan.errors import UserError
from squeezespan.untrusted.wording import shown

__all__ = ["Push", "prepare_push"]

_CONFLICT = 409
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


@dataclass(frozen=True)
class Push:
    """An upload that may be made."""

    repository: str
    token: str
    public: bool

    def upload(self, folder: Path) -> str:
        """Make a new repository of a folder's files, private unless said otherwise.

        Returns:
            Its address.

        Raises:
            UserError: the hub refuses, can't be reached, or has such a repository already.
        """
        from huggingface_hub import HfApi

        api = HfApi(token=self.token)
        try:
            address = api.create_repo(self.repository, private=not self.public)
            api.upload_folder(
                repo_id=self.repository,
                folder_path=folder,
                commit_message="Exported by squeezespan",
            )
        # Which errors there are depends on the HTTP library below, another in older versions.
        except Exception as error:
            reason = shown(" ".join(str(error).split()), 200)
            if getattr(getattr(error, "response", None), "status_code", None) == _CONFLICT:
                reason = f"{self.repository} exists already, and nothing in it is replaced"
            raise UserError(
                f"not pushed: {reason}; the folder is kept, and "
                f"`hf upload {self.repository} {folder}` pushes it"
            ) from error
        return str(address)


def prepare_push(repository: str, public: bool) -> Push:
    """Make sure, before any work, that a push has a name and a token of the user's.

    Args:
        repository: as OWNER/NAME.
        public: whether everyone may see it.

    Raises:
        UserError: no such name, or no token.
    """
    from huggingface_hub import get_token

    if not _REPOSITORY.fullmatch(repository):
        raise UserError(f"--push takes a repository such as OWNER/NAME, not {repository}")
    token = get_token()
    if not token:
        raise UserError(
            "--push needs a token of yours for the hub: `hf auth login`, or set HF_TOKEN; "
            "without --push the folder is written all the same"
        )
    return Push(repository, token, public)
