# What several ranks of one container need once: the first of them makes it, the others wait.
ready=/tmp/bootstrap-is-done
if [ "${LOCAL_RANK:-0}" = 0 ]; then
  echo "rank $RANK installs"
  mkdir -p /tmp/tools && printf 'print("a tool that was installed while the job ran")\n' >/tmp/tools/tool.py
  sleep 1 # as an installation takes a while
  touch "$ready"
else
  until [ -e "$ready" ]; do sleep 0.1; done
fi
PYTHONPATH=/tmp/tools:$PYTHONPATH python -c 'import tool'
exec python all_reduce_torch.py
