"""Exchanges .safetensors files with the safetensors Python package."""

import json
import sys
import unittest

from programs import ProgramTest, torch_mlp

try:
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file
except ImportError as error:
    print(f"{error}: skipped")
    sys.exit(77)


class SafetensorsFiles(ProgramTest):
    def test_the_package_reads_our_files(self):
        as_pt = self.train_quickly(name="m.pt")
        as_safetensors = self.train_quickly(name="m.safetensors")
        expected = torch.load(as_pt, weights_only=True)
        found = load_file(as_safetensors)
        self.assertEqual(set(found), set(expected))
        for name, tensor in expected.items():
            self.assertTrue(torch.equal(found[name], tensor), name)
        with safe_open(as_safetensors, "pt") as file:
            info = json.loads(file.metadata()["mnist"])
        self.assertEqual(info["shape"]["hidden"], [16])

    def test_we_read_the_files_of_the_package(self):
        original = self.train_quickly(name="m.pt")
        state = torch.load(original, weights_only=True)
        expected = self.evaluate(original)["confusion"]
        copy = self.tmp_dir / "copy.safetensors"
        for dtype in (torch.float32, torch.float64):
            save_file({name: tensor.to(dtype) for name, tensor in state.items()}, copy)
            self.assertEqual(self.evaluate(copy)["confusion"], expected)

    def test_more_than_ten_modules_keep_their_order(self):
        # The package sorts tensors by name, so that "10.weight" precedes "2.weight".
        torch.manual_seed(0)
        network = torch_mlp([784, *[12] * 6, 10])
        torch.save(network.state_dict(), self.tmp_dir / "deep.pt")
        save_file(network.state_dict(), self.tmp_dir / "deep.safetensors")
        self.assertEqual(self.evaluate(self.tmp_dir / "deep.safetensors")["confusion"],
                         self.evaluate(self.tmp_dir / "deep.pt")["confusion"])


if __name__ == "__main__":
    unittest.main()
