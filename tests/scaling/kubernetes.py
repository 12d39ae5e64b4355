"""examples/cluster/kubernetes.yaml follows the schemas of Kubernetes, and its command is one of sweep.py's."""

import importlib.util
import subprocess
import sys
import unittest

from programs import ROOT

MANIFEST = ROOT / "examples/cluster/kubernetes.yaml"


@unittest.skipUnless(importlib.util.find_spec("kubernetes_validate"), "needs kubernetes-validate")
class Manifest(unittest.TestCase):
    def setUp(self):
        import yaml
        self.job, self.volume = yaml.safe_load_all(MANIFEST.read_text())

    def test_follows_the_schemas(self):
        import kubernetes_validate
        for document in (self.job, self.volume):
            kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)

    def test_a_mistake_is_noticed(self):
        import kubernetes_validate
        self.job["spec"]["parallelism"] = "many"
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(self.job, kubernetes_validate.latest_version(), strict=True)

    def test_the_command_is_accepted(self):
        (worker,) = self.job["spec"]["template"]["spec"]["containers"]
        script = "import sys; sys.path.insert(0, 'scripts'); from sweep.arguments import parse_arguments; " \
                 "print(parse_arguments('').seeds)"
        parsed = subprocess.run([sys.executable, "-c", script, *worker["args"]], capture_output=True, text=True,
                                cwd=ROOT)
        self.assertEqual(parsed.stdout, "[0, 1, 2, 3, 4]\n", parsed.stderr)


if __name__ == "__main__":
    unittest.main()
