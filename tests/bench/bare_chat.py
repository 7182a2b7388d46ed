"""The least Gradio chat, which the application's start is compared with: `python bare_chat.py PORT`."""

import sys

import gradio as gr

gr.ChatInterface(lambda message, history: message).launch(server_name="127.0.0.1", server_port=int(sys.argv[1]))
