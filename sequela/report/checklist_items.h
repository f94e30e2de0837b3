#pragma once

#include <array>

namespace sequela {

// An item of TRIPOD+AI: its number there, its heading, and what it asks for in our words.
struct ChecklistItem {
  const char* number;
  const char* topic;
  const char* asks;
};

inline constexpr auto kChecklistItems = std::to_array<ChecklistItem>({
    {"1", "Title",
     "say that a prediction model is developed or evaluated, for whom, for which outcome"},
    {"2", "Abstract", "follow TRIPOD+AI's own list for abstracts"},
    {"3a", "Background", "the clinical question, and earlier models for it"},
    {"3b", "Background", "who is predicted for, when in their care, and who acts on it"},
    {"3c", "Background", "known differences in health between groups of people"},
    {"4", "Objectives", "development, evaluation, or both"},
    {"5a", "Data", "where the data of development and of evaluation come from, and why these"},
    {"5b", "Data", "the dates between which they were collected"},
    {"6a", "Participants", "the setting: which care, which and how many places"},
    {"6b", "Participants", "who was eligible"},
    {"6c", "Participants", "treatments, and what was done about them"},
    {"7", "Data preparation", "cleaning and checks, and whether they were the same for all groups"},
    {"8a", "Outcome", "its definition, its time horizon, how and when it was assessed"},
    {"8b", "Outcome", "if people judged it: who"},
    {"8c", "Outcome", "whether those who judged it knew the predictors"},
    {"9a", "Predictors", "how they were chosen"},
    {"9b", "Predictors", "their definition, and how and when they were measured"},
    {"9c", "Predictors", "if people judged them: who"},
    {"10", "Sample size", "how it came about, and whether it is enough"},
    {"11", "Missing data", "how they were handled"},
    {"12a", "Methods", "how the data were divided between development and evaluation"},
    {"12b", "Methods", "how predictors entered: form, scale, transformation"},
    {"12c", "Methods", "the type of model, all steps of its building, tuning, internal validation"},
    {"12d", "Methods", "differences between places or groups, and what was done about them"},
    {"12e", "Methods", "all measures and plots of performance, and why these"},
    {"12f", "Methods", "updates of the model after its evaluation"},
    {"12g", "Methods", "how the predictions that were evaluated were computed"},
    {"13", "Class imbalance", "what was done about it, and about calibration afterwards"},
    {"14", "Fairness", "what was done for it"},
    {"15", "Model output", "what the model puts out, and thresholds with their reasons"},
    {"16", "Training and evaluation", "differences in setting, eligibility, outcome, predictors"},
    {"17", "Ethics", "approval and consent"},
    {"18a", "Open science", "funding"},
    {"18b", "Open science", "conflicts of interest"},
    {"18c", "Open science", "the study's protocol"},
    {"18d", "Open science", "its registration"},
    {"18e", "Open science", "whether the data can be had"},
    {"18f", "Open science", "whether the code can be had"},
    {"19", "Patients and public", "how they took part"},
    {"20a", "Participants",
     "their flow through the study, with and without the outcome, follow-up"},
    {"20b", "Participants", "their characteristics, missing data, by place or time"},
    {"20c", "Participants", "how those of evaluation differ from those of development"},
    {"21", "Development", "numbers of participants and of outcomes in each analysis"},
    {"22", "Model", "all that is needed to predict for a new person"},
    {"23a", "Performance", "estimates with intervals, also of subgroups"},
    {"23b", "Performance", "its spread over places or groups"},
    {"24", "Updating", "results of updates"},
    {"25", "Interpretation", "what the results mean, fairness too, beside earlier work"},
    {"26", "Limitations", "of the sample, of missing data, of overfitting, of generality"},
    {"27a", "Use", "what to do with bad or missing input when the model is used"},
    {"27b", "Use", "what users have to do, and what they have to know"},
    {"27c", "Use", "next steps of research"},
});

}  // namespace sequela
