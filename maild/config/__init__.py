"""The configuration: TOML in, frozen values out, every fault listed in one run."""

from maild.config.load import ConfigError, find, load
from maild.config.model import Config

__all__ = ["Config", "ConfigError", "find", "load"]
