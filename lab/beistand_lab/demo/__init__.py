"""The demo: Beistand's main job as an administrator sees it, judged by observers outside."""
