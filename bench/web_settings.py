"""The settings of the pages, and one view more: the peer that they are held against."""

from beistand.web.settings import *  # noqa: F403  all of them

ROOT_URLCONF = "bench.web_urls"
