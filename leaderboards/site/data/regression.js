RECMERGE.take("regression",
{
"suite":"regression",
"title":"A small suite that guards the committed boards",
"label":"smoke",
"about":"Smoke board: small fixed budgets that show that everything runs. It carries no verdicts, and its numbers say nothing about methods.",
"question":"One model merged from 2 experts (action and romance): which way of merging keeps most of what each expert knows?",
"answer":"A smoke board: it shows that everything runs and says nothing about methods.",
"detail":"",
"place":[
"merging",
"loo"
],
"seeds":[
0
],
"datasets":[
"ml-100k"
],
"date":"2026-11-27",
"done":19,
"total":19,
"command":"recmerge-bench run --suite regression",
"metrics":[
"NDCG@10",
"HR@10",
"MRR"
],
"tables":[
{
"track":"merging",
"protocol":"loo",
"domains":[
"action",
"romance"
],
"card":[
["dataset","ml-100k"],
["domains","action, romance"],
["merging reads","T0: weights"],
["rows tuned on","none (7 rows)"],
["source of the shared base","drama"],
["split","leave-one-out per domain, full ranking (min_length=3, scope=domain)"],
["ranked against","all items of the target's domain"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","action 840, romance 926"],
["seeds","0"]
],
"reference":"fine-tune",
"compared":[],
"across":null,
"groups":{},
"cards":[
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0922","0.0856","0.0856","36.0 %","2.3 %"],["\u2013","item-knn","0.1792","0.1792","0.1792","3.0 %","0.0 %"],["sasrec","fine-tune","0.1463","0.1463","0.1463","0.0 %","0.0 %"],["bert4rec","joint","0.1158","0.1158","0.1158","0.0 %","0.0 %"],["sasrec","weight-averaging","0.1439","0.1439","0.1439","0.1 %","0.0 %"],["sasrec","task-arithmetic (scale=0.4)","0.1440","0.1440","0.1440","0.0 %","0.0 %"],["sasrec","ties (density=0.2)","0.1448","0.1448","0.1448","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Of the targets, 17.7 % share their time with another event of their sequence: a tie rule of the data, not the user, made them targets."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","objective","tuned (row)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","\u2013","none"],["\u2013","item-knn","\u2013","\u2013","\u2013","\u2013","\u2013","none"],["sasrec","fine-tune","3","7,468","117,889","2.3","ce","none"],["bert4rec","joint","2","6,185","27,436","2.5","\u2013","none"],["sasrec","weight-averaging","3","7,468","117,889","2.3","ce","none"],["sasrec","task-arithmetic (scale=0.4)","3","7,468","117,889","2.3","ce","none"],["sasrec","ties (density=0.2)","3","7,468","117,889","2.3","ce","none"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained."}
],
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration ddcfd6a97a1a","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.0926183,null,[0.0926183]],"romance":[0.0786699,null,[0.0786699]],"mean":[0.0856441,null,[0.0856441]]},"HR@10":{"action":[0.186905,null,[0.186905]],"romance":[0.151188,null,[0.151188]],"mean":[0.169046,null,[0.169046]]},"MRR":{"action":[0.0847158,null,[0.0847158]],"romance":[0.0809052,null,[0.0809052]],"mean":[0.0828105,null,[0.0828105]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.064,"merge":0,"other":1.088,"peak":310},"groups":{},"gaps":[]},
{"id":"39f78b","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","band":"heuristics","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration eb13386d3047","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.176712,null,[0.176712]],"romance":[0.181639,null,[0.181639]],"mean":[0.179175,null,[0.179175]]},"HR@10":{"action":[0.297619,null,[0.297619]],"romance":[0.313175,null,[0.313175]],"mean":[0.305397,null,[0.305397]]},"MRR":{"action":[0.158958,null,[0.158958]],"romance":[0.16029,null,[0.16029]],"mean":[0.159624,null,[0.159624]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.27,"merge":0,"other":0.954,"peak":310},"groups":{},"gaps":[]},
{"id":"ac4fa8","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"references","made":"no options; tuned: none; configuration f862b85691ba","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.151321,null,[0.151321]],"romance":[0.141285,null,[0.141285]],"mean":[0.146303,null,[0.146303]]},"HR@10":{"action":[0.285714,null,[0.285714]],"romance":[0.284017,null,[0.284017]],"mean":[0.284866,null,[0.284866]]},"MRR":{"action":[0.131597,null,[0.131597]],"romance":[0.121043,null,[0.121043]],"mean":[0.12632,null,[0.12632]]}},"shares":{"NDCG@10":{"action":1,"romance":1,"mean of ratios":1,"ratio of means":1},"HR@10":{"action":1,"romance":1,"mean of ratios":1,"ratio of means":1},"MRR":{"action":1,"romance":1,"mean of ratios":1,"ratio of means":1}},"cost":{"train":3.531,"merge":0,"other":1.544,"peak":339},"groups":{},"gaps":[]},
{"id":"c4d691","backbone":"bert4rec","method":"joint","label":"joint","page":"joint","recipe":"fixed","band":"references","made":"no options; tuned: none; configuration 94b287ae1104","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.121958,null,[0.121958]],"romance":[0.109569,null,[0.109569]],"mean":[0.115764,null,[0.115764]]},"HR@10":{"action":[0.25119,null,[0.25119]],"romance":[0.218143,null,[0.218143]],"mean":[0.234667,null,[0.234667]]},"MRR":{"action":[0.102284,null,[0.102284]],"romance":[0.0977723,null,[0.0977723]],"mean":[0.100028,null,[0.100028]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":4.636,"merge":0,"other":1.199,"peak":378},"groups":{},"gaps":[]},
{"id":"b191a2","backbone":"sasrec","method":"weight-averaging","label":"weight-averaging","page":"weight-averaging","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration 2cd64a6dd23d","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.148404,null,[0.148404]],"romance":[0.13945,null,[0.13945]],"mean":[0.143927,null,[0.143927]]},"HR@10":{"action":[0.282143,null,[0.282143]],"romance":[0.279698,null,[0.279698]],"mean":[0.28092,null,[0.28092]]},"MRR":{"action":[0.128742,null,[0.128742]],"romance":[0.119185,null,[0.119185]],"mean":[0.123964,null,[0.123964]]}},"shares":{"NDCG@10":{"action":0.980725,"romance":0.987015,"mean of ratios":0.98387,"ratio of means":0.983762},"HR@10":{"action":0.9875,"romance":0.984791,"mean of ratios":0.986145,"ratio of means":0.986149},"MRR":{"action":0.978303,"romance":0.98465,"mean of ratios":0.981477,"ratio of means":0.981344}},"cost":{"train":3.531,"merge":0.222,"other":1.551,"peak":339},"groups":{},"gaps":[]},
{"id":"1fc328","backbone":"sasrec","method":"task-arithmetic","label":"task-arithmetic (scale=0.4)","page":"task-arithmetic","recipe":"fixed","band":"methods","made":"scale=0.4; tuned: none; configuration 44ce9aa21815","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.148789,null,[0.148789]],"romance":[0.139177,null,[0.139177]],"mean":[0.143983,null,[0.143983]]},"HR@10":{"action":[0.282143,null,[0.282143]],"romance":[0.278618,null,[0.278618]],"mean":[0.28038,null,[0.28038]]},"MRR":{"action":[0.129202,null,[0.129202]],"romance":[0.119243,null,[0.119243]],"mean":[0.124222,null,[0.124222]]}},"shares":{"NDCG@10":{"action":0.983267,"romance":0.985084,"mean of ratios":0.984175,"ratio of means":0.984144},"HR@10":{"action":0.9875,"romance":0.980989,"mean of ratios":0.984244,"ratio of means":0.984254},"MRR":{"action":0.981797,"romance":0.98513,"mean of ratios":0.983463,"ratio of means":0.983394}},"cost":{"train":3.531,"merge":0.132,"other":1.557,"peak":339},"groups":{},"gaps":[]},
{"id":"b95a54","backbone":"sasrec","method":"ties","label":"ties (density=0.2)","page":"ties","recipe":"fixed","band":"methods","made":"density=0.2, extra=0, scale=1, scope=global, zero=plus; tuned: none; configuration a4c7d1104279","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.146535,null,[0.146535]],"romance":[0.143084,null,[0.143084]],"mean":[0.144809,null,[0.144809]]},"HR@10":{"action":[0.279762,null,[0.279762]],"romance":[0.282937,null,[0.282937]],"mean":[0.28135,null,[0.28135]]},"MRR":{"action":[0.127066,null,[0.127066]],"romance":[0.122288,null,[0.122288]],"mean":[0.124677,null,[0.124677]]}},"shares":{"NDCG@10":{"action":0.968371,"romance":1.01274,"mean of ratios":0.990555,"ratio of means":0.989794},"HR@10":{"action":0.979167,"romance":0.996198,"mean of ratios":0.987682,"ratio of means":0.987657},"MRR":{"action":0.965566,"romance":1.01029,"mean of ratios":0.987926,"ratio of means":0.986992}},"cost":{"train":3.531,"merge":0.221,"other":1.497,"peak":339},"groups":{},"gaps":[]}
]
},
{
"track":"cdsr",
"protocol":"mixed-sampled-99",
"domains":[
"action",
"comedy"
],
"card":[
["dataset","ml-100k"],
["domains","action, comedy"],
["rows tuned on","none (4 rows)"],
["source of the shared base","none"],
["split","leave-one-out on the mixed sequence, 99 sampled negatives (min_length=3, scope=mixed)"],
["ranked against","99 sampled candidates, seed 2026, set 27f0e4161d9c95f0"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","action 427, comedy 502"],
["seeds","0"]
],
"reference":null,
"compared":[],
"across":null,
"groups":{},
"cards":[
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.2255","0.2232","0.2219","24.6 %","2.3 %"],["\u2013","last-item","0.3117","0.3107","0.3106","15.8 %","0.7 %"],["\u2013","item-knn","0.3216","0.3216","0.3216","2.6 %","0.0 %"],["\u2013","sasrec-dt (full softmax)","0.3248","0.3248","0.3248","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Of the targets, 26.7 % share their time with another event of their sequence: a tie rule of the data, not the user, made them targets."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","objective","tuned (row)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","\u2013","none"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","\u2013","none"],["\u2013","item-knn","\u2013","\u2013","\u2013","\u2013","\u2013","none"],["\u2013","sasrec-dt (full softmax)","1","2,513","61,938","1.0","full","none"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained."}
],
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration 7aaa240fbaa1","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.212733,null,[0.212733]],"comedy":[0.233762,null,[0.233762]],"mean":[0.223247,null,[0.223247]]},"HR@10":{"action":[0.400468,null,[0.400468]],"comedy":[0.408367,null,[0.408367]],"mean":[0.404417,null,[0.404417]]},"MRR":{"action":[0.179764,null,[0.179764]],"comedy":[0.207432,null,[0.207432]],"mean":[0.193598,null,[0.193598]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.078,"merge":0,"other":1.084,"peak":305},"groups":{},"gaps":[]},
{"id":"895e47","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration 98f730c09b96","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.305382,null,[0.305382]],"comedy":[0.315945,null,[0.315945]],"mean":[0.310663,null,[0.310663]]},"HR@10":{"action":[0.510539,null,[0.510539]],"comedy":[0.496016,null,[0.496016]],"mean":[0.503277,null,[0.503277]]},"MRR":{"action":[0.2621,null,[0.2621]],"comedy":[0.280876,null,[0.280876]],"mean":[0.271488,null,[0.271488]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.033,"merge":0,"other":1.12,"peak":306},"groups":{},"gaps":[]},
{"id":"39f78b","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","band":"heuristics","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration 2401ec2863d8","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.322889,null,[0.322889]],"comedy":[0.320314,null,[0.320314]],"mean":[0.321601,null,[0.321601]]},"HR@10":{"action":[0.548009,null,[0.548009]],"comedy":[0.531873,null,[0.531873]],"mean":[0.539941,null,[0.539941]]},"MRR":{"action":[0.274778,null,[0.274778]],"comedy":[0.276051,null,[0.276051]],"mean":[0.275414,null,[0.275414]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.272,"merge":0,"other":1.093,"peak":306},"groups":{},"gaps":[]},
{"id":"819388","backbone":"\u2013","method":"sasrec-dt","label":"sasrec-dt (full softmax)","page":"sasrec-dt","recipe":"fixed","band":"methods","made":"block=sasrec, dropout=0.2, heads=2, init=text, layers=2, loss=full, max_len=50, negatives=128, positions=reverse, std=0.02, temperature=0.75, width=64; tuned: none; configuration 7a2b6a136032","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.315959,null,[0.315959]],"comedy":[0.333552,null,[0.333552]],"mean":[0.324756,null,[0.324756]]},"HR@10":{"action":[0.526932,null,[0.526932]],"comedy":[0.559761,null,[0.559761]],"mean":[0.543347,null,[0.543347]]},"MRR":{"action":[0.273395,null,[0.273395]],"comedy":[0.282846,null,[0.282846]],"mean":[0.278121,null,[0.278121]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":3.568,"merge":0,"other":1.26,"peak":339},"groups":{},"gaps":[]}
]
},
{
"track":"cdsr-three",
"protocol":"mixed",
"domains":[
"action",
"comedy",
"romance"
],
"card":[
["dataset","ml-100k"],
["domains","action, comedy, romance"],
["rows tuned on","none (4 rows)"],
["source of the shared base","none"],
["split","leave-one-out on the mixed sequence, full ranking (min_length=3, scope=mixed)"],
["ranked against","all items of the target's domain"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","action 284, comedy 338, romance 318"],
["seeds","0"]
],
"reference":null,
"compared":[],
"across":null,
"groups":{},
"cards":[
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0948","0.0917","0.0917","44.4 %","1.5 %"],["\u2013","last-item","0.1661","0.1661","0.1660","28.5 %","0.1 %"],["\u2013","abxi (width 32; paper recipe)","0.0934","0.0934","0.0934","0.0 %","0.0 %"],["\u2013","merit (width 32; paper recipe)","0.1069","0.1069","0.1069","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Of the targets, 34.5 % share their time with another event of their sequence: a tie rule of the data, not the user, made them targets."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","tuned (row)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","none"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","none"],["\u2013","abxi (width 32; paper recipe)","1","1,918","55,134","1.0","none"],["\u2013","merit (width 32; paper recipe)","1","1,918","55,134","1.0","none"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained."}
],
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration 06fb743b15e6","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.0876139,null,[0.0876139]],"comedy":[0.105241,null,[0.105241]],"romance":[0.0822913,null,[0.0822913]],"mean":[0.0917152,null,[0.0917152]]},"HR@10":{"action":[0.165493,null,[0.165493]],"comedy":[0.189349,null,[0.189349]],"romance":[0.188679,null,[0.188679]],"mean":[0.181174,null,[0.181174]]},"MRR":{"action":[0.0838843,null,[0.0838843]],"comedy":[0.0947648,null,[0.0947648]],"romance":[0.0723726,null,[0.0723726]],"mean":[0.0836739,null,[0.0836739]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.08,"merge":0,"other":0.907,"peak":310},"groups":{},"gaps":[]},
{"id":"895e47","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration c9295b686dc9","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.157944,null,[0.157944]],"comedy":[0.183395,null,[0.183395]],"romance":[0.156847,null,[0.156847]],"mean":[0.166062,null,[0.166062]]},"HR@10":{"action":[0.295775,null,[0.295775]],"comedy":[0.325444,null,[0.325444]],"romance":[0.292453,null,[0.292453]],"mean":[0.304557,null,[0.304557]]},"MRR":{"action":[0.134473,null,[0.134473]],"comedy":[0.156692,null,[0.156692]],"romance":[0.134988,null,[0.134988]],"mean":[0.142051,null,[0.142051]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.099,"merge":0,"other":1.16,"peak":310},"groups":{},"gaps":[]},
{"id":"a3c4aa","backbone":"\u2013","method":"abxi","label":"abxi (width 32; paper recipe)","page":"abxi","recipe":"paper","band":"methods","made":"domain_rank=4, dropout=0.5, heads=2, init=random, inner=80, invariant_rank=16, max_len=47, negatives=128, own_history=whole, std=0.02, temperature=0.75, variant=0, width=32; tuned: none; configuration 9d70f7ca99de","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.0898937,null,[0.0898937]],"comedy":[0.10291,null,[0.10291]],"romance":[0.0873323,null,[0.0873323]],"mean":[0.0933788,null,[0.0933788]]},"HR@10":{"action":[0.193662,null,[0.193662]],"comedy":[0.192308,null,[0.192308]],"romance":[0.204403,null,[0.204403]],"mean":[0.196791,null,[0.196791]]},"MRR":{"action":[0.0794442,null,[0.0794442]],"comedy":[0.0928169,null,[0.0928169]],"romance":[0.0746777,null,[0.0746777]],"mean":[0.0823129,null,[0.0823129]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":5.572,"merge":0,"other":1.07,"peak":354},"groups":{},"gaps":[]},
{"id":"8c4276","backbone":"\u2013","method":"merit","label":"merit (width 32; paper recipe)","page":"merit","recipe":"paper","band":"methods","made":"caf_m=attn, computes=paper, dropout=0.5, ecaf_mode=attn, ecaf_sources=[mixed, other], eval_m_position=last, ffn=mo, heads=2, init=truncated, inner=0, m_norm=domain, max_len=47, negatives=128, paths=[], residual=sg, std=0.02, temperature=0.75, width=32; tuned: none; configuration 5d9157d1759a","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.1141,null,[0.1141]],"comedy":[0.111804,null,[0.111804]],"romance":[0.0947549,null,[0.0947549]],"mean":[0.106886,null,[0.106886]]},"HR@10":{"action":[0.239437,null,[0.239437]],"comedy":[0.210059,null,[0.210059]],"romance":[0.210692,null,[0.210692]],"mean":[0.220063,null,[0.220063]]},"MRR":{"action":[0.0950566,null,[0.0950566]],"comedy":[0.100914,null,[0.100914]],"romance":[0.0834121,null,[0.0834121]],"mean":[0.0931275,null,[0.0931275]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":11.009,"merge":0,"other":2.528,"peak":378},"groups":{},"gaps":[]}
]
},
{
"track":"cdsr-three",
"protocol":"mixed-sampled-99",
"domains":[
"action",
"comedy",
"romance"
],
"card":[
["dataset","ml-100k"],
["domains","action, comedy, romance"],
["rows tuned on","none (4 rows)"],
["source of the shared base","none"],
["split","leave-one-out on the mixed sequence, 99 sampled negatives (min_length=3, scope=mixed)"],
["ranked against","99 sampled candidates, seed 2026, set c0d05ef46a1b3f0a"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","action 284, comedy 338, romance 318"],
["seeds","0"]
],
"reference":null,
"compared":[],
"across":null,
"groups":{},
"cards":[
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.2298","0.2292","0.2290","23.4 %","1.9 %"],["\u2013","last-item","0.3214","0.3213","0.3212","15.8 %","0.5 %"],["\u2013","abxi (width 32; paper recipe)","0.2447","0.2447","0.2447","0.0 %","0.0 %"],["\u2013","merit (width 32; paper recipe)","0.2764","0.2764","0.2764","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Of the targets, 34.5 % share their time with another event of their sequence: a tie rule of the data, not the user, made them targets."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","tuned (row)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","none"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","none"],["\u2013","abxi (width 32; paper recipe)","1","1,918","55,134","1.0","none"],["\u2013","merit (width 32; paper recipe)","1","1,918","55,134","1.0","none"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained."}
],
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration 8ea781b4d98a","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.211932,null,[0.211932]],"comedy":[0.247798,null,[0.247798]],"romance":[0.22788,null,[0.22788]],"mean":[0.229203,null,[0.229203]]},"HR@10":{"action":[0.387324,null,[0.387324]],"comedy":[0.423077,null,[0.423077]],"romance":[0.424528,null,[0.424528]],"mean":[0.411643,null,[0.411643]]},"MRR":{"action":[0.183831,null,[0.183831]],"comedy":[0.220149,null,[0.220149]],"romance":[0.191976,null,[0.191976]],"mean":[0.198652,null,[0.198652]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.08,"merge":0,"other":1.15,"peak":305},"groups":{},"gaps":[]},
{"id":"895e47","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration f3e9150f8e89","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.315632,null,[0.315632]],"comedy":[0.34694,null,[0.34694]],"romance":[0.301348,null,[0.301348]],"mean":[0.321307,null,[0.321307]]},"HR@10":{"action":[0.528169,null,[0.528169]],"comedy":[0.526627,null,[0.526627]],"romance":[0.506289,null,[0.506289]],"mean":[0.520362,null,[0.520362]]},"MRR":{"action":[0.269665,null,[0.269665]],"comedy":[0.31015,null,[0.31015]],"romance":[0.260198,null,[0.260198]],"mean":[0.280004,null,[0.280004]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.099,"merge":0,"other":1.032,"peak":306},"groups":{},"gaps":[]},
{"id":"a3c4aa","backbone":"\u2013","method":"abxi","label":"abxi (width 32; paper recipe)","page":"abxi","recipe":"paper","band":"methods","made":"domain_rank=4, dropout=0.5, heads=2, init=random, inner=80, invariant_rank=16, max_len=47, negatives=128, own_history=whole, std=0.02, temperature=0.75, variant=0, width=32; tuned: none; configuration a7345799bb4d","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.230845,null,[0.230845]],"comedy":[0.260683,null,[0.260683]],"romance":[0.242434,null,[0.242434]],"mean":[0.244654,null,[0.244654]]},"HR@10":{"action":[0.454225,null,[0.454225]],"comedy":[0.431953,null,[0.431953]],"romance":[0.465409,null,[0.465409]],"mean":[0.450529,null,[0.450529]]},"MRR":{"action":[0.184187,null,[0.184187]],"comedy":[0.234245,null,[0.234245]],"romance":[0.196773,null,[0.196773]],"mean":[0.205068,null,[0.205068]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":5.572,"merge":0,"other":1.212,"peak":354},"groups":{},"gaps":[]},
{"id":"8c4276","backbone":"\u2013","method":"merit","label":"merit (width 32; paper recipe)","page":"merit","recipe":"paper","band":"methods","made":"caf_m=attn, computes=paper, dropout=0.5, ecaf_mode=attn, ecaf_sources=[mixed, other], eval_m_position=last, ffn=mo, heads=2, init=truncated, inner=0, m_norm=domain, max_len=47, negatives=128, paths=[], residual=sg, std=0.02, temperature=0.75, width=32; tuned: none; configuration d4b61777dd76","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.265035,null,[0.265035]],"comedy":[0.291197,null,[0.291197]],"romance":[0.272981,null,[0.272981]],"mean":[0.276405,null,[0.276405]]},"HR@10":{"action":[0.471831,null,[0.471831]],"comedy":[0.494083,null,[0.494083]],"romance":[0.503145,null,[0.503145]],"mean":[0.489686,null,[0.489686]]},"MRR":{"action":[0.223706,null,[0.223706]],"comedy":[0.250938,null,[0.250938]],"romance":[0.224479,null,[0.224479]],"mean":[0.233041,null,[0.233041]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":11.009,"merge":0,"other":1.538,"peak":378},"groups":{},"gaps":[]}
]
}
],
"figures":[]
});
