"""Reference numbers of the progression model and its kin, run from their authors' own sources: github.com/pleiadian53/
ehr-sequencing at 3487634d2c256f9d4c1e9560309589bdaeb9c864. The classes of the model are the first code of part 2 of ehr-sequencing,
docs/implementation/resource-aware-models.md, the others lie in src/.

    git -C FOLDER checkout 3487634d2c256f9d4c1e9560309589bdaeb9c864
    .venv-cehrbert/bin/python tests/reference/make_progression.py FOLDER

Pins: that commit, torch 2.13.0; random weights, eval mode, fp32, CPU. Writes bert/e_lstm:

  config.json, model.safetensors, model.pt   the progression model
  expected.safetensors         its outputs for a batch, and the gradients of the masked cross entropy (all positions count,
                               as there); good.*: the LSTMs stop at the true number of codes and of visits
  weights_upstream_src, expected_upstream_src   LSTMBaseline with every pooling, the survival models, loss, concordance
"""

import json
import pathlib
import re
import sys

import torch
from safetensors.torch import save_file
from saving import HERE, perturbed
from torch import nn

FOLDER = HERE / "bert/e_lstm"
CONFIG = dict(vocab_size=500, code_embed_dim=32, visit_embed_dim=24, hidden_dim=20, num_stages=5, num_layers=2, dropout=0.1)
SMALL = dict(vocab_size=100, embedding_dim=32, hidden_dim=24, num_layers=2)
VISITS = torch.tensor([[[42, 123, 456, 0], [7, 8, 9, 10], [11, 0, 0, 0], [0, 0, 0, 0]],
                       [[499, 1, 0, 0], [5, 6, 7, 0], [33, 0, 0, 0], [44, 55, 66, 77]]])
DAYS = torch.tensor([[0.0, 30.0, 95.0, 0.0], [0.0, 7.0, 400.0, 401.0]])
NUM_VISITS = torch.tensor([3, 4])
STAGES = torch.tensor([[0, 1, 2, -100], [1, 1, 3, 4]])


def progression_classes(folder):
    """The classes as the document prints them."""
    text = (folder / "docs/implementation/resource-aware-models.md").read_text()
    part = text[text.index("## Part 2"):text.index("## Part 3")]
    names = {}
    for code in re.findall(r"```python\n(.*?)```", part, re.S)[:2]:
        exec(code, names)  # noqa: S102
    return names


def time_features():
    """Years since the first visit and since the one before; zero where there is no visit."""
    since_last = torch.cat([torch.zeros(2, 1), DAYS[:, 1:] - DAYS[:, :-1]], dim=1)
    is_visit = torch.arange(4)[None] < NUM_VISITS[:, None]
    return torch.stack([DAYS, since_last], dim=-1) / 365 * is_visit[..., None]


def good_outputs(model, times):
    """By true lengths: a visit's last state is that of its last code (zeros without codes), padded visits are not seen."""
    encoder = model.encoder
    states = torch.zeros(*VISITS.shape[:2], CONFIG["code_embed_dim"])
    for patient, visits in enumerate(VISITS):
        for place, visit in enumerate(visits):
            codes = visit[visit != 0]
            if len(codes) > 0:
                states[patient, place] = encoder.visit_lstm(encoder.code_embeddings(codes[None]))[1][0][-1, 0]
    embedded = encoder.visit_projection(states)
    packed = nn.utils.rnn.pack_padded_sequence(torch.cat([embedded, times], dim=-1), NUM_VISITS, batch_first=True,
                                               enforce_sorted=False)
    sequence = nn.utils.rnn.pad_packed_sequence(encoder.sequence_lstm(packed)[0], batch_first=True, total_length=4)[0]
    return {"good.visit_embed": embedded, "good.sequence_output": sequence,
            "good.stage_logits": model.stage_classifier(sequence),
            "good.time_pred": torch.relu(model.time_to_progression(sequence))}


def write_progression(folder):
    model = perturbed(progression_classes(folder)["LSTMProgressionModel"](**CONFIG), 51).eval()
    with torch.no_grad():
        model.encoder.code_embeddings.weight[0] = 0
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    (FOLDER / "config.json").write_text(json.dumps(CONFIG) + "\n")
    save_file(weights, FOLDER / "model.safetensors")
    torch.save(weights, FOLDER / "model.pt")
    mask, times = (VISITS != 0).long(), time_features()
    sequence, final_hidden = model.encoder(VISITS, times, mask)
    stage_logits, time_pred = model(VISITS, times, mask)
    loss = nn.functional.cross_entropy(stage_logits.flatten(0, 1), STAGES.flatten(), ignore_index=-100)
    loss.backward()
    out = {"patient_visits": VISITS, "visit_mask": mask, "time_features": times, "labels": STAGES, "ce_loss": loss,
           "sequence_output": sequence, "final_hidden": final_hidden, "stage_logits": stage_logits, "time_pred": time_pred}
    out.update({f"grad.{name}": value.grad for name, value in model.named_parameters() if value.grad is not None})
    out.update(good_outputs(model, times))
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in out.items()}, FOLDER / "expected.safetensors")


def upstream_batch():
    """Three patients of four visits; the second has two. Codes fill a visit from its start."""
    generator = torch.Generator().manual_seed(61)
    codes = torch.randint(1, 100, (3, 4, 5), generator=generator)
    lengths = torch.tensor([[5, 3, 5, 5], [5, 5, 0, 0], [5, 5, 5, 1]])
    mask = (torch.arange(5) < lengths[..., None]).long()
    return codes * mask, mask, (lengths > 0).long(), torch.rand(3, 4, 3, generator=generator)


def write_upstream(folder):
    sys.path.insert(0, str(folder / "src"))
    from ehrsequencing.models.losses import DiscreteTimeSurvivalLoss, concordance_index
    from ehrsequencing.models.lstm_baseline import LSTMBaseline
    from ehrsequencing.models.survival_lstm import (CompetingRisksSurvivalLSTM, DiscreteTimeSurvivalLSTM,
                                                    DiscreteTimeSurvivalLSTMWithTime)

    codes, mask, is_visit, times = upstream_batch()
    event_visits, is_event = torch.tensor([3, 1, 2]), torch.tensor([1, 0, 1])
    out = {"visit_codes": codes, "visit_mask": mask, "sequence_mask": is_visit, "survival_time.time_features": times,
           "survival.event_times": event_visits, "survival.event_ind": is_event}
    models = {f"baseline_{pooling}": LSTMBaseline(**SMALL, visit_aggregation=pooling, bidirectional=pooling == "sum",
                                                  output_dim=3, task="multi_class")
              for pooling in ("mean", "sum", "max", "attention")}
    models.update(survival=DiscreteTimeSurvivalLSTM(**SMALL), competing=CompetingRisksSurvivalLSTM(num_event_types=3, **SMALL),
                  survival_time=DiscreteTimeSurvivalLSTMWithTime(time_encoding_dim=16, **SMALL))
    weights = {}
    for number, (name, model) in enumerate(models.items()):
        torch.manual_seed(71 + number)
        perturbed(model, 71 + number).eval()
        weights.update({f"{name}.{key}": value for key, value in model.state_dict().items()})
        if name.startswith("baseline"):
            result = model(codes, mask, is_visit, return_hidden=True)
            out.update({f"{name}.logits": result["logits"], f"{name}.predictions": result["predictions"],
                        f"{name}.hidden": result["hidden_states"]})
        else:
            more = [times] if name == "survival_time" else []
            out[f"{name}.hazards"] = model(codes, mask, is_visit, *more)
    hazards = out["survival.hazards"]
    out["survival.loss"] = DiscreteTimeSurvivalLoss()(hazards, event_visits, is_event, is_visit)
    out["survival.cindex"] = torch.tensor(concordance_index(hazards, event_visits, is_event, is_visit))
    out["survival.S"], out["survival.H"] = torch.cumprod(1 - hazards, dim=1), torch.cumsum(hazards, dim=1)
    save_file({name: value.clone().contiguous() for name, value in weights.items()}, FOLDER / "weights_upstream_src.safetensors")
    save_file({name: value.detach().clone().contiguous() for name, value in out.items()},
              FOLDER / "expected_upstream_src.safetensors")


def main():
    folder = pathlib.Path(sys.argv[1])
    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(51)
    write_progression(folder)
    write_upstream(folder)


if __name__ == "__main__":
    main()
