"""The safetensors package reads what we write, and we read what it writes."""

import json
import sys
import unittest

from programs import SUBSET, ProgramTest

try:
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file
except ImportError as error:
    print(f"{error}: skipped")
    sys.exit(77)


class SafetensorsFiles(ProgramTest):
    def evaluate(self, path):
        return json.loads(self.succeed("mnist-eval", "--model", path, "--data", SUBSET, "--json").stdout)

    def test_package_reads_ours(self):
        as_pt = self.train_quickly(name="m.pt")
        as_safetensors = self.train_quickly(name="m.safetensors")
        expected = torch.load(as_pt, weights_only=True)
        found = load_file(as_safetensors)
        self.assertEqual(set(found), set(expected))
        for name, tensor in expected.items():
            self.assertTrue(torch.equal(found[name], tensor), name)
        with safe_open(as_safetensors, "pt") as file:
            facts = json.loads(file.metadata()["mnist"])
        self.assertEqual(facts["shape"]["hidden"], [16])

    def test_we_read_the_package_s(self):
        original = self.train_quickly(name="m.pt")
        state = torch.load(original, weights_only=True)
        expected = self.evaluate(original)["confusion"]
        copy = self.folder / "copy.safetensors"
        for dtype in (torch.float32, torch.float64):
            save_file({name: tensor.to(dtype) for name, tensor in state.items()}, copy)
            self.assertEqual(self.evaluate(copy)["confusion"], expected)

    def test_more_than_ten_layers_keep_their_order(self):
        # The package sorts names, so that "10.weight" comes before "2.weight".
        torch.manual_seed(0)
        widths = [784, *[12] * 6, 10]
        layers = []
        for i, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
            layers += [torch.nn.ReLU()] if i else []
            layers.append(torch.nn.Linear(inputs, outputs))
        network = torch.nn.Sequential(*layers)
        torch.save(network.state_dict(), self.folder / "deep.pt")
        save_file(network.state_dict(), self.folder / "deep.safetensors")
        self.assertEqual(self.evaluate(self.folder / "deep.safetensors")["confusion"],
                         self.evaluate(self.folder / "deep.pt")["confusion"])


if __name__ == "__main__":
    unittest.main()
